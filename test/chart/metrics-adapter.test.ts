import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { run } from '../../cluster/run.ts';
import { tool } from '../../cluster/toolchain.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane.ts';
import { eventually } from '../support/eventually.ts';
import { KubeApi, makeNamespace } from '../support/kube-api.ts';
import { chart, find, names, notes, ofKind, platformNamespace, render, type Wire } from './rendered.ts';

const customMetrics = { enabled: true };
const objects = render({ customMetrics });
const apiServices = ['v1beta1.custom.metrics.k8s.io', 'v1beta2.custom.metrics.k8s.io'];
const kinds = ['Deployment', 'Service', 'ServiceAccount', 'ConfigMap', 'Secret'];
const ofAdapter = (from: readonly Wire[]) =>
  from.filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/name'] === 'metrics-adapter');

describe('custom metrics', () => {
  it('are left out unless they are asked for, and the notes say which', () => {
    expect(ofAdapter(render())).toEqual([]);
    expect(names(render(), 'APIService')).toEqual([]);
    expect(ofAdapter(objects).filter(({ kind }) => kinds.includes(kind))).toHaveLength(kinds.length);
    expect(notes({})).toContain('cannot go by requests a second (customMetrics.enabled=false)');
    expect(notes({ customMetrics })).toContain('this release serves custom.metrics.k8s.io');
  });

  it.each<[object, RegExp]>([
    [{ metrics: { mode: 'none' } }, /set metrics\.mode=embedded, or customMetrics\.enabled=false/],
    [{ prometheus: { scrapeInterval: '10s' } }, /at least four times prometheus\.scrapeInterval, which is 10s/],
    [{ prometheus: { scrapeInterval: '1m' }, customMetrics: { enabled: true, window: '3m' } }, /four times .* 1m/],
    [{ customMetrics: { enabled: true, window: 'long' } }, /customMetrics\/window/],
  ])('are refused with %j, with what to do', (values, message) => {
    expect(() => render({ customMetrics, ...values })).toThrow(message);
  });

  it.each(['40s', '1m', '2m'])('may be those of %s where each pod is asked every 10 s', (window) => {
    const made = render({ prometheus: { scrapeInterval: '10s' }, customMetrics: { enabled: true, window } });
    expect(find(made, 'ConfigMap', 'metrics-adapter').data['config.yaml']).toContain(`[${window}]`);
  });

  it('count each request but those that the platform makes itself', () => {
    const { rules } = parse(find(objects, 'ConfigMap', 'metrics-adapter').data['config.yaml']);
    expect(rules).toMatchObject([{ name: { as: 'http_requests_per_second' } }]);
    const spared = /endpoint!~"([^"]+)"/.exec(rules[0].metricsQuery)?.[1]?.split('|');
    const source = readFileSync(new URL('../../services/common/src/serving/observation.ts', import.meta.url), 'utf8');
    const quiet = /const quiet = new Set\(\[([^\]]+)\]/.exec(source)?.[1]?.match(/\/\w+/g);
    expect(spared?.sort()).toEqual(quiet?.sort());
  });

  it('are served with a certificate for the Service, by the authority that the API server is told to trust', () => {
    const { data } = find(objects, 'Secret', 'metrics-adapter-certificate');
    const of = (name: string) => new X509Certificate(Buffer.from(data[name], 'base64'));
    expect(of('tls.crt').verify(of('ca.crt').publicKey)).toBe(true);
    expect(of('tls.crt').checkHost(`metrics-adapter.${platformNamespace}.svc`)).toBeDefined();
    expect(names(objects, 'APIService')).toEqual(apiServices);
    for (const { spec } of ofKind(objects, 'APIService')) {
      expect(spec.caBundle).toBe(data['ca.crt']);
      expect(spec.insecureSkipTLSVerify).toBeUndefined();
    }
  });

  it('need the right to list pods, and to ask the API server who asks: nothing else', () => {
    expect(find(objects, 'ClusterRole', 'microservice-platform-metrics-adapter').rules).toEqual([
      { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
    ]);
    const bindings = ['ClusterRoleBinding', 'RoleBinding'].flatMap((kind) => ofKind(ofAdapter(objects), kind));
    expect(bindings.map(({ roleRef, metadata }) => `${roleRef.name} in ${metadata.namespace ?? 'all'}`).sort()).toEqual(
      [
        'extension-apiserver-authentication-reader in kube-system',
        'microservice-platform-metrics-adapter in all',
        'system:auth-delegator in all',
      ],
    );
    for (const { subjects } of bindings) {
      expect(subjects).toEqual([{ kind: 'ServiceAccount', name: 'metrics-adapter', namespace: platformNamespace }]);
    }
  });

  it('come from a pod that writes nowhere, is no root, and takes a bounded memory', () => {
    const { spec } = find(objects, 'Deployment', 'metrics-adapter').spec.template;
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(spec.containers[0]).toMatchObject({
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      },
      resources: { limits: { memory: expect.any(String) } },
      readinessProbe: { httpGet: { path: '/readyz', scheme: 'HTTPS' } },
    });
  });

  it('make a new pod when their rules change, and not when anything else does', () => {
    const annotations = (values: object) =>
      find(render(values), 'Deployment', 'metrics-adapter').spec.template.metadata.annotations;
    const before = annotations({ customMetrics });
    expect(annotations({ customMetrics: { enabled: true, window: '1m' } })).not.toEqual(before);
    expect(annotations({ customMetrics, operator: { logLevel: 'debug' } })).toEqual(before);
  });
});

describe('a release with custom metrics, on an API server', () => {
  let plane: ControlPlane;
  let api: KubeApi;
  const helm = (...args: readonly string[]) =>
    run(tool('helm'), [...args, '--kubeconfig', plane.kubeconfig, '--namespace', platformNamespace], {
      timeoutMs: 60_000,
    });
  const secret = () => api.get(`/api/v1/namespaces/${platformNamespace}/secrets/metrics-adapter-certificate`);
  const apiService = (name: string) => `/apis/apiregistration.k8s.io/v1/apiservices/${name}`;

  beforeAll(async () => {
    plane = await startControlPlane({ controllerManager: true });
    api = new KubeApi(plane.kubeconfig);
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await api.post('/api/v1/namespaces', { metadata: { name: platformNamespace, labels } });
    await helm('install', 'platform', chart, '--set=customMetrics.enabled=true');
  });
  afterAll(async () => {
    await api?.[Symbol.asyncDispose]();
    await plane?.stop();
  });

  it('has its pod admitted in a namespace that enforces the profile `restricted`', async () => {
    await eventually(async () => {
      const { items } = await api.get(`/api/v1/namespaces/${platformNamespace}/pods`);
      expect(ofAdapter(items)).toHaveLength(1);
    });
  });

  it('keeps its certificate when it is upgraded', async () => {
    const { data } = await secret();
    await helm('upgrade', 'platform', chart, '--reuse-values', '--set=operator.logLevel=debug');
    expect((await secret()).data).toEqual(data);
    for (const name of apiServices) expect((await api.get(apiService(name))).spec.caBundle).toBe(data['ca.crt']);
  });

  it('makes another one when its Secret was deleted, and has it trusted', async () => {
    const { data } = await secret();
    await api.delete(`/api/v1/namespaces/${platformNamespace}/secrets/metrics-adapter-certificate`);
    await helm('upgrade', 'platform', chart, '--reuse-values');
    const made = (await secret()).data;
    expect(made['tls.crt']).not.toBe(data['tls.crt']);
    for (const name of apiServices) expect((await api.get(apiService(name))).spec.caBundle).toBe(made['ca.crt']);
  });

  it('leaves no API behind that nobody serves, which would keep namespaces from being deleted', async () => {
    const namespace = await makeNamespace(api);
    const path = `/api/v1/namespaces/${namespace}`;
    await eventually(async () => {
      const { status } = await api.get(apiService(apiServices[0] ?? ''));
      expect(status.conditions).toContainEqual(expect.objectContaining({ type: 'Available', status: 'False' }));
    });
    await api.delete(path);
    // No node runs the adapter here: while the API is there and nobody serves it, the namespace stays.
    await eventually(async () => {
      const { status } = await api.get(path);
      expect(status.conditions).toContainEqual(
        expect.objectContaining({ type: 'NamespaceDeletionDiscoveryFailure', status: 'True' }),
      );
    });
    await helm('uninstall', 'platform');
    for (const name of apiServices) expect((await api.ask('GET', apiService(name))).status).toBe(404);
    await eventually(async () => expect((await api.ask('GET', path)).status).toBe(404), { withinMs: 40_000 });
  });
});
