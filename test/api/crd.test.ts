import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { waitFor } from '../../cluster/wait-for.ts';
import type { Schema } from '../../operator/generate.ts';
import { fromKubeconfig } from '../../operator/src/cluster/connection.ts';
import { Transport } from '../../operator/src/cluster/transport.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane.ts';
import { definitionPath, microserviceSchema } from '../support/microservice.ts';
import type { Case, Spec } from './crd-case.ts';
import { formatCases } from './crd-cases-formats.ts';
import { observabilityCases } from './crd-cases-observability.ts';
import { podCases } from './crd-cases-pod.ts';
import { serviceCases } from './crd-cases-service.ts';

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const microservices = '/apis/microservice-platform.io/v1alpha1/namespaces/default/microservices';

/** A spec that every rule takes; each case below changes it in one respect. */
const good = {
  image: 'ghcr.io/acme/orders:1.4.2',
  ports: [
    { name: 'http', containerPort: 8080, servicePort: 80 },
    { name: 'grpc', containerPort: 50051 },
  ],
  resources: { requests: { cpu: '100m', memory: '128Mi' } },
};

const port = (change: Spec) => ({ ports: [{ name: 'http', containerPort: 8080, ...change }] });
const variable = (change: Spec) => ({ env: [{ name: 'A', ...change }] });
const autoscaling = (change: Spec) => ({ autoscaling: { maxReplicas: 3, cpu: 70, ...change } });
const fieldRef = (fieldPath: string) => variable({ valueFrom: { fieldRef: { fieldPath } } });
const resourceFieldRef = (resource: string, divisor: string | number) =>
  variable({ valueFrom: { resourceFieldRef: { resource, divisor } } });
const requests = (amounts: Spec) => ({ resources: { requests: amounts } });

const rules: readonly Case[] = [
  ...podCases,
  ...serviceCases,
  ...formatCases,
  ...observabilityCases,
  ['no image', { image: '' }, /spec\.image.*at least 1 chars/, { image: 'orders' }],
  ['an image with a scheme', { image: 'https://ghcr.io/a' }, /without a scheme/, { image: 'ghcr.io/a@sha256:0a' }],
  ['an image with a space', { image: 'a b' }, /without spaces/, { image: 'localhost:5000/a_b/c-d:1.0' }],
  ['fewer than no replicas', { replicas: -1 }, /greater than or equal to 0/, { replicas: 0 }],
  ['too many replicas', { replicas: 1001 }, /less than or equal to 1000/, { replicas: 1000 }],
  ['a port of number 0', port({ containerPort: 0 }), /greater than or equal to 1/, port({ containerPort: 1 })],
  [
    'a port beyond the last',
    port({ containerPort: 65536 }),
    /less than or equal to 65535/,
    port({ containerPort: 65535 }),
  ],
  ['a service port of 0', port({ servicePort: 0 }), /greater than or equal to 1/, port({ servicePort: 1 })],
  [
    'an unknown protocol',
    port({ protocol: 'HTTP' }),
    /supported values: "TCP", "UDP", "SCTP"/,
    port({ protocol: 'SCTP' }),
  ],
  ['a port name in capitals', port({ name: 'HTTP' }), /takes a-z, 0-9 and single '-'/, port({ name: 'a-1' })],
  ['a port name without a letter', port({ name: '80' }), /at least one letter/, port({ name: '8x' })],
  ['a port name with --', port({ name: 'a--b' }), /single '-'/, port({ name: 'a-b' })],
  [
    'a long port name',
    port({ name: 'abcdefghijklmnop' }),
    /may not be more than 15/,
    port({ name: 'abcdefghijklmno' }),
  ],
  [
    'a bad appProtocol',
    port({ appProtocol: 'a b' }),
    /appProtocol.*the name takes letters, digits/,
    port({ appProtocol: 'kubernetes.io/h2c' }),
  ],
  [
    'two ports of one name',
    {
      ports: [
        { name: 'a', containerPort: 1 },
        { name: 'a', containerPort: 2 },
      ],
    },
    /spec\.ports\[1\]: Duplicate value: .*"a"/,
    {
      ports: [
        { name: 'a', containerPort: 1 },
        { name: 'b', containerPort: 2 },
      ],
    },
  ],
  [
    'two ports of one number',
    {
      ports: [
        { name: 'a', containerPort: 1 },
        { name: 'b', containerPort: 1, servicePort: 2 },
      ],
    },
    /same containerPort and protocol: remove one of them, or change/,
    {
      ports: [
        { name: 'a', containerPort: 1 },
        { name: 'b', containerPort: 1, protocol: 'UDP' },
      ],
    },
  ],
  [
    'two ports of one service port',
    {
      ports: [
        { name: 'a', containerPort: 1 },
        { name: 'b', containerPort: 2, servicePort: 1 },
      ],
    },
    /same port of the Service and the same protocol: change servicePort/,
    {
      ports: [
        { name: 'a', containerPort: 1 },
        { name: 'b', containerPort: 2, servicePort: 3 },
      ],
    },
  ],
  ['a variable name with a space', variable({ name: 'A B' }), /takes letters, digits/, variable({ name: '_a.B-1' })],
  [
    'a variable name that starts with a digit',
    variable({ name: '1A' }),
    /does not start with a digit/,
    variable({ name: 'A1' }),
  ],
  [
    'a value and a source',
    variable({ value: 'a', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }),
    /has value or valueFrom, not both; remove one/,
    fieldRef('metadata.name'),
  ],
  ['a source of nothing', variable({ valueFrom: {} }), /exactly one of secretKeyRef/, variable({})],
  [
    'two sources',
    variable({
      valueFrom: { fieldRef: { fieldPath: 'metadata.name' }, secretKeyRef: { name: 'a', key: 'b' } },
    }),
    /exactly one of secretKeyRef.*keep one/,
    variable({ valueFrom: { secretKeyRef: { name: 'a', key: 'b' } } }),
  ],
  [
    'two variables of one name',
    { env: [{ name: 'A' }, { name: 'A' }] },
    /spec\.env\[1\]: Duplicate value: .*"A"/,
    { env: [{ name: 'A' }, { name: 'B' }] },
  ],
  [
    'a field that pods do not offer',
    fieldRef('spec.containers'),
    /fieldPath takes metadata\.name/,
    fieldRef('status.podIP'),
  ],
  [
    'a label without a key',
    fieldRef('metadata.labels'),
    /metadata\.labels\['KEY'\]/,
    fieldRef("metadata.labels['a.b/c']"),
  ],
  [
    'an unknown resource field',
    resourceFieldRef('limits.gpu', 1),
    /supported values: "limits\.cpu"/,
    resourceFieldRef('limits.memory', '1Mi'),
  ],
  [
    'an unknown divisor',
    resourceFieldRef('limits.cpu', '7'),
    /divisor takes 1 or 1m/,
    resourceFieldRef('limits.cpu', 1),
  ],
  [
    'a divisor of another resource',
    resourceFieldRef('limits.cpu', '1Mi'),
    /divisor does not fit the resource: use 1 or 1m for cpu/,
    resourceFieldRef('limits.cpu', '1m'),
  ],
  [
    'an envFrom of nothing',
    { envFrom: [{}] },
    /exactly one of configMapRef/,
    { envFrom: [{ configMapRef: { name: 'a' } }] },
  ],
  [
    'an envFrom of two',
    { envFrom: [{ configMapRef: { name: 'a' }, secretRef: { name: 'b' } }] },
    /exactly one of configMapRef and secretRef; make two entries/,
    { envFrom: [{ secretRef: { name: 'b' } }] },
  ],
  ['an amount without a known unit', requests({ cpu: '1 core' }), /should match/, requests({ cpu: '1500m' })],
  ['a negative amount', requests({ cpu: -1 }), /greater than or equal to 0/, requests({ cpu: 1 })],
  [
    'an unknown resource',
    requests({ disk: '1Gi' }),
    /cpu, memory, ephemeral-storage or/,
    requests({ 'ephemeral-storage': '1Gi' }),
  ],
  [
    'a request above its limit',
    { resources: { requests: { cpu: '1' }, limits: { cpu: '999m' } } },
    /lower it in resources\.requests, or raise it in resources\.limits/,
    { resources: { requests: { cpu: '1' }, limits: { cpu: '1000m' } } },
  ],
  [
    'a probe with two actions',
    { probes: { readiness: { tcpSocket: {}, exec: { command: ['a'] } } } },
    /takes one of httpGet, tcpSocket, grpc and exec; keep one/,
    { probes: { readiness: { exec: { command: ['a'] } } } },
  ],
  ...(['readiness', 'liveness', 'startup'] as const).flatMap((probe) => [
    ...(['httpGet', 'tcpSocket'] as const).map(
      (action) =>
        [
          `a ${probe} ${action} on a port that is not there`,
          { probes: { [probe]: { [action]: { port: 'admin' } } } },
          new RegExp(`probes\\.${probe}\\.${action}\\.port names a port that is not in spec\\.ports: use`),
          { probes: { [probe]: { [action]: { port: 'http' } } } },
        ] as const,
    ),
    [
      `a ${probe} probe without a port to try`,
      { ports: [], probes: { [probe]: { periodSeconds: 3 } } },
      new RegExp(`probes\\.${probe} says no port.*set a port`),
      { ports: [], probes: { [probe]: { tcpSocket: { port: 8080 } } } },
    ] as const,
  ]),
  [
    'a probe that falls back on a UDP port',
    {
      ports: [{ name: 'dns', containerPort: 53, protocol: 'UDP' }],
      probes: { liveness: { httpGet: { path: '/' } } },
    },
    /no TCP port to fall back on/,
    {
      ports: [{ name: 'dns', containerPort: 53, protocol: 'UDP' }],
      probes: { liveness: { grpc: { port: 53 } } },
    },
  ],
  ...(['liveness', 'startup'] as const).map(
    (probe) =>
      [
        `a ${probe} probe that wants two successes`,
        { probes: { [probe]: { successThreshold: 2 } } },
        /successThreshold has to be 1/,
        { probes: { readiness: { successThreshold: 2 } } },
      ] as const,
  ),
  [
    'a path without a slash',
    { probes: { readiness: { httpGet: { path: 'a' } } } },
    /should match '\^\/'/,
    { probes: { readiness: { httpGet: { path: '/a' } } } },
  ],
  [
    'a probe port of 0',
    { probes: { readiness: { tcpSocket: { port: 0 } } } },
    /greater than or equal to 1/,
    { probes: { readiness: { tcpSocket: { port: 1 } } } },
  ],
  [
    'a period of 0',
    { probes: { readiness: { periodSeconds: 0 } } },
    /greater than or equal to 1/,
    { probes: { readiness: { periodSeconds: 1 } } },
  ],
  [
    'min above max',
    autoscaling({ minReplicas: 4 }),
    /lower minReplicas, or raise maxReplicas/,
    autoscaling({ minReplicas: 3 }),
  ],
  [
    'autoscaling towards nothing',
    { autoscaling: { maxReplicas: 3 } },
    /no target: set autoscaling\.cpu, autoscaling\.memory, autoscaling\.requestsPerSecond or/,
    { autoscaling: { maxReplicas: 3, memory: 70 } },
  ],
  [
    'autoscaling towards requests that are not said',
    { autoscaling: { maxReplicas: 3, requestsPerSecond: null } },
    /no target: set autoscaling\.cpu/,
    { autoscaling: { maxReplicas: 3, requestsPerSecond: 100 } },
  ],
  [
    'autoscaling without a maximum',
    { autoscaling: { cpu: 70 } },
    /spec\.autoscaling\.maxReplicas: Required/,
    autoscaling({}),
  ],
  [
    'autoscaling from zero',
    autoscaling({ minReplicas: 0 }),
    /greater than or equal to 1/,
    autoscaling({ minReplicas: 1 }),
  ],
  [
    'a cpu target without a cpu request',
    { ...autoscaling({}), resources: {} },
    /there is none: set resources\.requests\.cpu/,
    { ...autoscaling({}), resources: { limits: { cpu: 1 } } },
  ],
  [
    'a memory target without a memory request',
    { ...autoscaling({ memory: 80 }), resources: { requests: { cpu: 1 } } },
    /there is none: set resources\.requests\.memory/,
    autoscaling({ memory: 80 }),
  ],
  [
    'an empty list of policies',
    autoscaling({ behavior: { scaleUp: { policies: [] } } }),
    /at least 1 items/,
    autoscaling({ behavior: { scaleUp: { policies: [{ type: 'Pods', value: 1, periodSeconds: 15 }] } } }),
  ],
  [
    'a policy over more than 1800 s',
    autoscaling({ behavior: { scaleUp: { policies: [{ type: 'Pods', value: 1, periodSeconds: 1801 }] } } }),
    /less than or equal to 1800/,
    autoscaling({ behavior: { scaleDown: { stabilizationWindowSeconds: 0, selectPolicy: 'Disabled' } } }),
  ],
  [
    'a stabilization of more than an hour',
    autoscaling({ behavior: { scaleDown: { stabilizationWindowSeconds: 3601 } } }),
    /less than or equal to 3600/,
    autoscaling({ behavior: { scaleDown: { stabilizationWindowSeconds: 3600 } } }),
  ],
  [
    'a policy that changes nothing',
    autoscaling({ behavior: { scaleDown: { policies: [{ type: 'Percent', value: 0, periodSeconds: 15 }] } } }),
    /greater than or equal to 1/,
    autoscaling({ behavior: { scaleDown: { policies: [{ type: 'Percent', value: 1, periodSeconds: 15 }] } } }),
  ],
  [
    'a policy without a period',
    autoscaling({ behavior: { scaleUp: { policies: [{ type: 'Pods', value: 1 }] } } }),
    /periodSeconds: Required/,
    autoscaling({ behavior: { scaleUp: { policies: [{ type: 'Pods', value: 1, periodSeconds: 1 }] } } }),
  ],
  [
    'a way to select that does not exist',
    autoscaling({ behavior: { scaleUp: { selectPolicy: 'Average' } } }),
    /supported values: "Max", "Min", "Disabled"/,
    autoscaling({ behavior: { scaleUp: { selectPolicy: 'Min' } } }),
  ],
  ['replicas as text', { replicas: '2' }, /must be of type integer/, { ...autoscaling({}), replicas: 2 }],
];

const manifests = join(import.meta.dirname, '../../manifests');
const samples: readonly (readonly [name: string, spec: Spec])[] = globSync('**/*.yaml', { cwd: manifests })
  .flatMap((file) => parseAllDocuments(readFileSync(join(manifests, file), 'utf8')))
  .map((document) => document.toJS() as { kind?: string; metadata: { name: string }; spec: Spec })
  .filter((object) => object?.kind === 'Microservice')
  .map(({ metadata, spec }) => [metadata.name, { resources: {}, ports: [], ...spec }]);

describe('the Microservice resource in a real API server', () => {
  let controlPlane: ControlPlane;
  let transport: Transport;

  const call = (method: 'GET' | 'POST' | 'PATCH', path: string, body?: unknown, contentType?: string) =>
    transport.call({
      verb: 'create',
      kind: 'test',
      target: path,
      method,
      path,
      repeatable: false,
      ...(body === undefined ? {} : { body }),
      ...(contentType === undefined ? {} : { contentType }),
    }) as Promise<Record<string, never>>;

  /** Asks the API server what it thinks of a Microservice, without keeping it. */
  const tryOut = (spec: Spec, name = 'orders', query = '') =>
    call('POST', `${microservices}?dryRun=All&fieldValidation=Strict${query}`, {
      apiVersion: 'microservice-platform.io/v1alpha1',
      kind: 'Microservice',
      metadata: { name },
      spec: { ...good, ...spec },
    });

  beforeAll(async () => {
    controlPlane = await startControlPlane();
    transport = new Transport(await fromKubeconfig(controlPlane.kubeconfig));
    await call('POST', definitions, parse(readFileSync(definitionPath, 'utf8')));
    await waitFor('the resource to be served', () => tryOut({}), { everyMs: 50 });
  });
  afterAll(async () => {
    await transport?.close(1_000);
    await controlPlane?.stop();
  });

  it('has a structural schema', async () => {
    const { status } = await call('GET', `${definitions}/microservices.microservice-platform.io`);
    const { conditions } = status as unknown as { conditions: { type: string; status: string }[] };
    expect(conditions).toContainEqual(expect.objectContaining({ type: 'Established', status: 'True' }));
    expect(conditions.map(({ type }) => type)).not.toContain('NonStructuralSchema');
  });

  it.for(rules)('refuses %s, says what to do, and takes the neighbour', async ([, refused, remedy, taken]) => {
    await expect(tryOut(refused)).rejects.toThrow(remedy);
    await tryOut(taken);
  });

  it.for(['Orders', '1orders', 'orders-', 'or.ders', 'o'.repeat(64)])('refuses the name %s', async (name) => {
    await expect(tryOut({}, name)).rejects.toThrow(
      name === 'Orders' ? /lower ?case/i : /use at most 63 characters of a-z, 0-9 and '-'/,
    );
  });

  it('has a case here for every rule', () => {
    const covered = [...rules.map(([, , remedy]) => remedy), /use at most 63 characters/];
    const untested = messagesIn(microserviceSchema()).filter((message) => !covered.some((it) => it.test(message)));
    expect(untested).toEqual([]);
  });

  it('takes a name of 63 characters', async () => {
    await tryOut({}, 'o'.repeat(63));
  });

  it.for(samples)('takes the Microservice %s of manifests/', async ([name, spec]) => {
    await tryOut(spec, name);
  });

  it('refuses an unknown field and names it', async () => {
    await expect(tryOut({ replica: 2 })).rejects.toThrow(/unknown field "spec.replica"/);
  });

  it('gives a new Microservice one replica, and a status that no waiting client takes for ready', async () => {
    const created = await tryOut({});
    expect(created.spec).toMatchObject({ replicas: 1 });
    expect(created.status).toEqual({ observedGeneration: -1 });
  });

  it('adds no default inside lists, so that GitOps tools see what they wrote', async () => {
    const created = await tryOut({ ports: good.ports, env: [{ name: 'A' }] });
    expect(created.spec).toMatchObject({ ports: good.ports, env: [{ name: 'A' }] });
  });

  it('answers kubectl scale, also for the very first status', async () => {
    await call('POST', microservices, {
      apiVersion: 'microservice-platform.io/v1alpha1',
      kind: 'Microservice',
      metadata: { name: 'scaled' },
      spec: good,
    });
    expect((await call('GET', `${microservices}/scaled/scale`)).spec).toEqual({ replicas: 1 });
    const patch = { spec: { replicas: 3 } };
    await call('PATCH', `${microservices}/scaled/scale`, patch, 'application/merge-patch+json');
    expect((await call('GET', `${microservices}/scaled`)).spec).toMatchObject({ replicas: 3 });
  });

  it('explains every field to kubectl', async () => {
    const { components } = await call('GET', '/openapi/v3/apis/microservice-platform.io/v1alpha1');
    const { schemas } = components as unknown as { schemas: Record<string, unknown> };
    expect(JSON.stringify(schemas['io.microservice-platform.v1alpha1.Microservice'])).toContain('Image of the service');
  });
});

function messagesIn(schema: Schema): string[] {
  const below = [...Object.values(schema.properties ?? {}), schema.items, schema.additionalProperties];
  return [
    ...(schema['x-kubernetes-validations'] ?? []).map(({ message = 'a rule without a message' }) => message),
    ...below.flatMap((part) => (part ? messagesIn(part) : [])),
  ];
}
