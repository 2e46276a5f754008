import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { reasons } from '../../operator/src/api/conditions.ts';
import { childKinds } from '../../operator/src/api/kinds.ts';
import { platformNamespace } from '../chart/rendered.ts';
import { kubeconfigOfAccount } from '../support/account.ts';
import { api, orders, plane, startApiServer } from '../support/api-server.ts';
import { installChartOperator } from '../support/chart-operator.ts';
import { microservice } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { KubeApi, paths, type Wire } from '../support/kube-api.ts';
import { OperatorProcess } from '../support/operator-process.ts';

// Nobody gets more by a Microservice than without it. The operator has the rights that the chart gives it; `user` may do
// nothing but make and change Microservices, in a namespace that enforces the Pod Security profile `restricted`.
const group = 'microservice-platform.io';
const people = 'people';
let operator: OperatorProcess;
let operatorKubeconfig: string;
let user: KubeApi;

startApiServer({ controllerManager: true });
beforeAll(async () => {
  const { kubeconfig, env } = await installChartOperator();
  await api.post('/api/v1/namespaces', { metadata: { name: people } });
  await api.post('/apis/rbac.authorization.k8s.io/v1/clusterroles', {
    metadata: { name: 'only-microservices' },
    rules: [{ apiGroups: [group], resources: ['microservices', 'microservices/scale'], verbs: ['*'] }],
  });
  for (const name of ['user', 'view', 'edit', 'admin']) {
    await api.post(`/api/v1/namespaces/${people}/serviceaccounts`, { metadata: { name } });
  }
  operatorKubeconfig = kubeconfig;
  operator = await OperatorProcess.start(kubeconfig, env);
  user = await clientOf('user');
});
afterAll(async () => {
  await user?.[Symbol.asyncDispose]();
  await operator?.stop();
});
beforeEach(async () => {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await api.patch(`/api/v1/namespaces/${orders.namespace}`, { metadata: { labels } });
  const roles = { user: 'only-microservices', view: 'view', edit: 'edit', admin: 'admin' };
  for (const [name, role] of Object.entries(roles)) await bind(name, role, orders.namespace);
});

const clientOf = async (name: string) => new KubeApi(await kubeconfigOfAccount({ api, plane }, people, name));

function bind(name: string, role: string, namespace: string): Promise<Wire> {
  return api.post(`/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`, {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'ServiceAccount', name, namespace: people }],
  });
}

/** Whether somebody may do something, by the API server's own word. */
async function may(name: string, verb: string, resource: string, of: string, namespace = orders.namespace) {
  const [plural, subresource = ''] = resource.split('/');
  const { status } = await api.post('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    spec: {
      user: `system:serviceaccount:${people}:${name}`,
      resourceAttributes: { namespace, verb, group: of, resource: plural, subresource },
    },
  });
  return status.allowed as boolean;
}

const collections: Readonly<Record<string, (namespace: string) => string>> = Object.fromEntries(
  childKinds.map(({ kind, apiVersion, plural }) => [
    kind,
    (namespace) => `/${apiVersion === 'v1' ? 'api' : 'apis'}/${apiVersion}/namespaces/${namespace}/${plural}`,
  ]),
);
const childPath = (kind: string, { namespace, name } = orders) => `${collections[kind]?.(namespace)}/${name}`;
const microservicePath = ({ namespace, name } = orders) => `${paths.microservices(namespace)}/${name}`;

/** Asks as the user would by kubectl, which has unknown fields refused; nothing is stored. */
const attempt = (spec: object, metadata: object = {}) => {
  const object = microservice(orders, spec);
  const body = { ...object, metadata: { ...object.metadata, ...metadata } };
  return user.ask('POST', `${paths.microservices(orders.namespace)}?fieldValidation=Strict&dryRun=All`, body);
};
const make = (spec: object = {}, key = orders) =>
  user.post(`${paths.microservices(key.namespace)}?fieldValidation=Strict`, microservice(key, spec));

async function ready(key = orders): Promise<Wire> {
  const { status } = await api.get(microservicePath(key));
  return status?.conditions?.find(({ type }: Wire) => type === 'Ready');
}
const readyWith = (reason: keyof typeof reasons, key = orders) =>
  eventually(async () => {
    const condition = await ready(key);
    expect(condition).toMatchObject({ reason });
    return condition;
  });

/** The pod that the Deployment's controllers made of it, as Pod Security let it pass. */
const pod = (key = orders): Promise<Wire> =>
  eventually(async () => {
    const { items } = await api.get(paths.pods(key.namespace));
    const found = items.find(({ metadata }: Wire) => metadata.labels[`${group}/microservice`] === key.name);
    expect(found).toBeDefined();
    return found;
  });
const isAbsent = async (path: string) => expect((await api.ask('GET', path)).status).toBe(404);

describe('the built-in roles', () => {
  const reading = ['get', 'list', 'watch'];
  const writing = ['create', 'update', 'patch', 'delete', 'deletecollection'];
  const viewing = { microservices: reading, 'microservices/status': reading, 'microservices/scale': [] };
  const editing = {
    ...viewing,
    microservices: [...reading, ...writing],
    'microservices/scale': ['get', 'update', 'patch'],
  };

  test.for<[string, Readonly<Record<string, readonly string[]>>]>([
    ['view', viewing],
    ['edit', editing],
    ['admin', editing],
  ])(
    'give with %s what the chart says of Microservices in that namespace, and nothing else',
    async ([role, rights]) => {
      await eventually(async () => expect(await may(role, 'get', 'microservices', group)).toBe(true));
      for (const [resource, verbs] of Object.entries(rights)) {
        for (const verb of [...reading, ...writing]) {
          const asked = { verb, resource, allowed: await may(role, verb, resource, group) };
          expect(asked).toEqual({ verb, resource, allowed: verbs.includes(verb) });
          expect(await may(role, verb, resource, group, people)).toBe(false);
        }
      }
    },
  );

  test('let an editor make, scale and delete a Microservice, and neither him nor a viewer write its status', async () => {
    await using editor = await clientOf('edit');
    await using viewer = await clientOf('view');
    const merge = 'application/merge-patch+json';
    const status = { status: { observedGeneration: 1 } };
    await editor.post(paths.microservices(orders.namespace), microservice(orders));
    await editor.patch(`${microservicePath()}/scale`, { spec: { replicas: 0 } });

    expect((await viewer.get(microservicePath())).spec.replicas).toBe(0);
    for (const client of [editor, viewer]) {
      expect((await client.ask('PATCH', `${microservicePath()}/status`, status, merge)).status).toBe(403);
    }
    expect((await viewer.ask('PATCH', microservicePath(), { spec: { replicas: 1 } }, merge)).status).toBe(403);
    expect((await viewer.ask('DELETE', microservicePath())).status).toBe(403);
    await editor.delete(microservicePath());
  });

  test('give an editor by themselves whatever the operator does for a Microservice', async () => {
    for (const { apiVersion, plural } of childKinds) {
      const of = apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
      for (const verb of ['create', 'patch', 'delete']) {
        expect([plural, verb, await may('edit', verb, plural, of)]).toEqual([plural, verb, true]);
      }
    }
    // What pods can get at, whoever makes them.
    const reached = [
      ['create', 'pods'],
      ['get', 'secrets'],
      ['get', 'configmaps'],
      ['impersonate', 'serviceaccounts'],
      ['create', 'persistentvolumeclaims'],
    ] as const;
    for (const [verb, plural] of reached) {
      expect([plural, verb, await may('edit', verb, plural, '')]).toEqual([plural, verb, true]);
    }
  });
});

describe('a ServiceAccount of somebody else', () => {
  test.for(['orders', 'default'])('is not taken because it has the name of the Microservice: %s', async (name) => {
    const key = { ...orders, name };
    const path = childPath('ServiceAccount', key);
    if (name === 'orders') await api.post(collections.ServiceAccount?.(orders.namespace) ?? '', { metadata: { name } });
    const before = await eventually(() => api.get(path));
    await make({}, key);

    expect((await readyWith('Conflict', key)).message).toMatch(/ServiceAccount .*delete it .*or give .* another name/);
    expect(await api.get(path)).toEqual(before);
    await isAbsent(childPath('Deployment', key));
    expect((await api.get(paths.pods(orders.namespace))).items).toEqual([]);
  });

  test('that is named gives the pods no token, unless that is asked for', async () => {
    await api.post(collections.ServiceAccount?.(orders.namespace) ?? '', { metadata: { name: 'mighty' } });
    await make({ serviceAccount: { name: 'mighty' } });
    const { spec } = await pod();

    expect(spec).toMatchObject({ serviceAccountName: 'mighty', automountServiceAccountToken: false });
    expect(JSON.stringify(spec)).not.toContain('serviceAccountToken');
  });

  test('cannot be named in another namespace', async () => {
    const refused = await attempt({ serviceAccount: { name: `${platformNamespace}/operator` } });
    expect(refused).toMatchObject({ status: 422 });
    expect(refused.body.message).toMatch(/spec\.serviceAccount\.name/);
    const unknown = await attempt({ serviceAccount: { name: 'operator', namespace: platformNamespace } });
    expect(unknown.body.message).toContain('unknown field "spec.serviceAccount.namespace"');
  });
});

/** A spec with one of everything that something can be put into. */
const roomy = {
  ports: [{ name: 'http', containerPort: 8080 }],
  config: { data: { A: 'ours' } },
  volumes: [{ name: 'data', emptyDir: {} }],
  volumeMounts: [{ name: 'data', mountPath: '/data' }],
  initContainers: [{ name: 'first', image: 'example.test/first:1', volumeMounts: [{ name: 'data', mountPath: '/d' }] }],
  env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'a', key: 'k' } } }],
  envFrom: [{ configMapRef: { name: 'a' } }],
  imagePullSecrets: [{ name: 'a' }],
  resources: { requests: { cpu: '10m' } },
  autoscaling: { maxReplicas: 2, cpu: 50 },
  scheduling: {
    tolerations: [{ key: 'dedicated' }],
    affinity: {
      podAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: {}, topologyKey: 'kubernetes.io/hostname' }],
      },
    },
  },
};

/** `roomy` with a value at a path such as `volumes.0.hostPath`. */
function withValue(path: string, value: unknown, into: object = roomy): object {
  const spec = structuredClone(into);
  const names = path.split('.');
  const last = names.pop() ?? '';
  const holder = names.reduce((part: Wire, name) => {
    part[name] ??= {};
    return part[name];
  }, spec);
  holder[last] = value;
  return spec;
}

/** A path as the API server writes it. */
const shown = (path: string) => path.replaceAll(/\.(\d+)/g, '[$1]');

const inContainers = (field: string, value: unknown): [string, unknown][] => [
  [field, value],
  [`initContainers.0.${field}`, value],
];
const ofPods = 'scheduling.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution.0';

describe('a field that would reach beyond the namespace or beyond `restricted`', () => {
  const unknown: [string, unknown][] = [
    ...['hostNetwork', 'hostPID', 'hostIPC', 'shareProcessNamespace'].map((name): [string, unknown] => [name, true]),
    ['hostUsers', false],
    ['podSecurityContext.sysctls', [{ name: 'kernel.msgmax', value: '1' }]],
    ['podSecurityContext.runAsNonRoot', false],
    ['podSecurityContext.seLinuxOptions', { type: 'spc_t' }],
    ['podSecurityContext.windowsOptions', { hostProcess: true }],
    ['podSecurityContext.appArmorProfile', { type: 'Unconfined' }],
    ...['privileged', 'allowPrivilegeEscalation'].flatMap((name) => inContainers(`securityContext.${name}`, true)),
    ...inContainers('securityContext.runAsNonRoot', false),
    ...inContainers('securityContext.procMount', 'Unmasked'),
    ...inContainers('securityContext.seLinuxOptions', { type: 'spc_t' }),
    ...inContainers('securityContext.appArmorProfile', { type: 'Unconfined' }),
    ...inContainers('securityContext.seccompProfile', { type: 'Unconfined' }),
    ...inContainers('securityContext.capabilities', { add: [], drop: [] }).map(([path]): [string, unknown] => [
      path,
      { add: ['NET_BIND_SERVICE'], drop: ['KILL'] },
    ]),
    ...inContainers('lifecycle', { postStart: { exec: { command: ['id'] } } }),
    ...inContainers('volumeDevices', [{ name: 'data', devicePath: '/dev/sda' }]),
    ...inContainers('volumeMounts.0.mountPropagation', 'Bidirectional'),
    ...inContainers('volumeMounts.0.subPathExpr', '../..'),
    ...['hostPath', 'nfs', 'csi', 'iscsi', 'flexVolume', 'gitRepo', 'image'].map((kind): [string, unknown] => [
      `volumes.0.${kind}`,
      { path: '/', server: 'nfs.test', driver: 'd' },
    ]),
    ['ports.0.hostPort', 80],
    ['ports.0.hostIP', '0.0.0.0'],
    ['initContainers.0.ports', [{ containerPort: 1, hostPort: 80 }]],
    ['containers', [{ name: 'second', image: 'evil', securityContext: { privileged: true } }]],
    ['extraContainers', [{ name: 'second', image: 'evil' }]],
    ['ephemeralContainers', [{ name: 'second', image: 'evil' }]],
    ['podTemplate', { spec: { hostNetwork: true } }],
    ['template', { spec: { hostNetwork: true } }],
    ['nodeName', 'control-plane'],
    ['scheduling.nodeName', 'control-plane'],
    ['scheduling.schedulerName', 'mine'],
    ['runtimeClassName', 'host'],
    ['scheduling.runtimeClassName', 'host'],
    ['scheduling.priority', 2_000_000_000],
    ['scheduling.preemptionPolicy', 'PreemptLowerPriority'],
    [`${ofPods}.namespaces`, ['kube-system']],
    [`${ofPods}.namespaceSelector`, {}],
    ['service.externalIPs', ['192.0.2.1']],
    ['service.externalName', 'example.test'],
    ['service.clusterIP', '10.96.0.10'],
    ['service.loadBalancerIP', '192.0.2.1'],
    ['service.selector', { app: 'victim' }],
    ['service.publishNotReadyAddresses', true],
    ['autoscaling.scaleTargetRef', { kind: 'Deployment', name: 'victim' }],
    ['selector', { matchLabels: { app: 'victim' } }],
    ['env.0.valueFrom.secretKeyRef.namespace', 'kube-system'],
    ['env.0.valueFrom.fileKeyRef', { path: '/etc/shadow', key: 'a', volumeName: 'data' }],
    ['envFrom.0.configMapRef.namespace', 'kube-system'],
    ['imagePullSecrets.0.namespace', 'kube-system'],
    ['config.namespace', 'kube-system'],
  ];

  test.for(unknown)('is unknown, and refused by its name: %s', async ([path, value]) => {
    const { status, body } = await attempt(withValue(path, value));
    expect([status, body.message]).toEqual([400, expect.stringContaining(`unknown field "spec.${shown(path)}`)]);
  });

  test('is dropped where a client does not have unknown fields refused: the pods are those without it', async () => {
    const all = unknown
      .filter(([path]) => !path.endsWith('capabilities'))
      .reduce<object>((spec, [path, value]) => withValue(path, value, spec), roomy);
    const other = { ...orders, name: 'orders-plain' };
    await user.post(paths.microservices(orders.namespace), microservice(orders, all));
    await make(roomy, other);
    const templates = await Promise.all(
      [orders, other].map(async (key) => JSON.stringify((await deployment(key)).spec.template)),
    );
    expect(templates[0]).toBe(templates[1]?.replaceAll(other.name, orders.name));
    await pod();
  });

  /** The Deployment, as soon as it is there. */
  const deployment = (key: typeof orders): Promise<Wire> => eventually(() => api.get(childPath('Deployment', key)));

  test.for<[string, unknown, RegExp]>([
    ...inContainers('securityContext.runAsUser', 0).map(([path, value]): [string, unknown, RegExp] => [
      path,
      value,
      /runAsUser.*greater than or equal to 1/,
    ]),
    ...inContainers('securityContext.capabilities', { add: ['SYS_ADMIN'] }).map(
      ([path, value]): [string, unknown, RegExp] => [path, value, /capabilities\.add.*supported values: "NET_BIND/],
    ),
    ['podSecurityContext.runAsUser', 0, /runAsUser.*greater than or equal to 1/],
    ['podSecurityContext.seccompProfile', { type: 'Unconfined' }, /supported values: "RuntimeDefault", "Localhost"/],
    ['initContainers.0.restartPolicy', 'OnFailure', /supported values: "Always"/],
    ['scheduling.priorityClassName', 'system-node-critical', /parts of the cluster; use another one/],
    ['scheduling.tolerations', [{ operator: 'Exists' }], /tolerations\[0\]\.key: Required/],
    ['dnsPolicy', 'ClusterFirstWithHostNet', /supported values/],
    ['service.type', 'ExternalName', /supported values: "ClusterIP", "NodePort", "LoadBalancer"/],
    ['replicas', 100_000, /less than or equal to 1000/],
    ['autoscaling.maxReplicas', 100_000, /less than or equal to 1000/],
    ['podLabels', { 'microservice-platform.io/microservice': 'victim' }, /the operator's.*remove them/],
    ['podLabels', { 'sub.microservice-platform.io/x': 'y' }, /the operator's.*remove them/],
    ['podLabels', { 'app.kubernetes.io/name': 'victim' }, /the operator's.*remove them/],
    ['podLabels', { 'app.kubernetes.io/managed-by': 'me' }, /the operator's.*remove them/],
    ['podLabels', { 'pod-template-hash': '1' }, /the operator's.*remove them/],
    ...['podAnnotations', 'service.annotations', 'serviceAccount.annotations'].flatMap((path) =>
      ['microservice-platform.io/content-mark', 'microservice-platform.io/desired-hash'].map(
        (key): [string, unknown, RegExp] => [path, { [key]: 'x' }, /not yours to set; remove them/],
      ),
    ),
    ['podAnnotations', { 'kubectl.kubernetes.io/restartedAt': 'x' }, /not yours to set; remove them/],
  ])('is refused, with what can be done: %s: %j', async ([path, value, message]) => {
    const { status, body } = await attempt(withValue(path, value));
    expect(status).toBe(422);
    expect(body.message).toMatch(message);
  });

  test('is refused by kubectl scale too: more pods than a Microservice may ask for', async () => {
    await make();
    const answer = await user.ask(
      'PATCH',
      `${microservicePath()}/scale`,
      { spec: { replicas: 100_000 } },
      'application/merge-patch+json',
    );
    expect(answer).toMatchObject({ status: 422 });
    expect(answer.body.message).toMatch(/less than or equal to 1000/);
  });
});

describe('what is allowed', () => {
  test('passes Pod Security at its most', async () => {
    const securityContext = {
      readOnlyRootFilesystem: false,
      runAsUser: 1,
      runAsGroup: 0,
      capabilities: { add: ['NET_BIND_SERVICE'] },
    };
    const sidecar = { name: 'proxy', image: 'example.test/proxy:1', restartPolicy: 'Always', securityContext };
    await make({
      securityContext,
      podSecurityContext: {
        runAsUser: 1,
        runAsGroup: 0,
        fsGroup: 0,
        supplementalGroups: [0],
        seccompProfile: { type: 'Localhost', localhostProfile: 'profiles/orders.json' },
      },
      initContainers: [{ name: 'first', image: 'example.test/first:1', securityContext }, sidecar],
      volumes: [
        { name: 'a', configMap: { name: 'a', optional: true } },
        { name: 'b', secret: { secretName: 'b', optional: true } },
        { name: 'c', emptyDir: { medium: 'Memory' } },
        { name: 'd', persistentVolumeClaim: { claimName: 'd' } },
        { name: 'e', ephemeral: { volumeClaimTemplate: { spec: { resources: { requests: { storage: 1 } } } } } },
        { name: 'f', projected: { sources: [{ serviceAccountToken: { path: 'token', audience: 'vault' } }] } },
        { name: 'g', downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
      ],
      hostAliases: [{ ip: '192.0.2.1', hostnames: ['mainframe'] }],
      dnsPolicy: 'Default',
    });

    for (const { securityContext: of } of [...(await pod()).spec.containers, ...(await pod()).spec.initContainers]) {
      expect(of).toMatchObject({ allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } });
    }
  });

  test('does not pass it by an annotation: the Microservice is refused', async () => {
    const podAnnotations = { 'container.apparmor.security.beta.kubernetes.io/orders': 'unconfined' };
    await expect(make({ podAnnotations })).rejects.toThrow(/use spec\.podSecurityContext for a profile/);
  });
});

describe('a reference', () => {
  const fields = [
    'env.0.valueFrom.secretKeyRef.name',
    'env.0.valueFrom.secretKeyRef.key',
    'env.1.valueFrom.configMapKeyRef.name',
    'envFrom.0.configMapRef.name',
    'envFrom.1.secretRef.name',
    'imagePullSecrets.0.name',
    'volumes.1.configMap.name',
    'volumes.2.secret.secretName',
    'volumes.3.persistentVolumeClaim.claimName',
    'volumes.4.projected.sources.0.configMap.name',
    'volumes.4.projected.sources.1.secret.name',
    'volumes.5.ephemeral.volumeClaimTemplate.spec.storageClassName',
    'serviceAccount.name',
    'scheduling.priorityClassName',
    'autoscaling.metrics.0.object.describedObject.name',
  ];
  const referring = {
    ...roomy,
    serviceAccount: { name: 'a' },
    env: [...roomy.env, { name: 'B', valueFrom: { configMapKeyRef: { name: 'a', key: 'k' } } }],
    envFrom: [...roomy.envFrom, { secretRef: { name: 'a' } }],
    volumes: [
      ...roomy.volumes,
      { name: 'a', configMap: { name: 'a' } },
      { name: 'b', secret: { secretName: 'a' } },
      { name: 'c', persistentVolumeClaim: { claimName: 'a' } },
      { name: 'd', projected: { sources: [{ configMap: { name: 'a' } }, { secret: { name: 'a' } }] } },
      {
        name: 'e',
        ephemeral: {
          volumeClaimTemplate: { spec: { storageClassName: 'a', resources: { requests: { storage: 1 } } } },
        },
      },
    ],
    autoscaling: {
      maxReplicas: 2,
      metrics: [
        {
          type: 'Object',
          object: {
            describedObject: { apiVersion: 'v1', kind: 'Service', name: 'a' },
            metric: { name: 'm' },
            target: { type: 'Value', value: 1 },
          },
        },
      ],
    },
  };

  test('within the namespace is taken', async () => {
    expect(await attempt(referring)).toMatchObject({ status: 201 });
  });

  test.for(fields)('out of the namespace, or out of its path, is refused: %s', async (path) => {
    const names = ['kube-system/root', '../root', 'kube-system%2froot', '%2e%2e', 'a\\b', 'a?x=1', 'a#b', 'a\n', ''];
    for (const name of names) {
      const { status, body } = await attempt(withValue(path, name, referring));
      expect([name, status, body.message]).toEqual([
        name,
        422,
        expect.stringContaining(`spec.${shown(path)}: Invalid value`),
      ]);
    }
  });

  test.for<[string, string]>([
    ['volumes.1.configMap.items', '/etc/shadow'],
    ['volumes.1.configMap.items', '../up'],
    ['volumeMounts.0.subPath', '../up'],
    ['volumeMounts.0.subPath', '/up'],
    ['podSecurityContext.seccompProfile', '../up'],
  ])('to a file outside of its folder is refused: %s %s', async ([field, path]) => {
    const value = field.endsWith('items')
      ? [{ key: 'k', path }]
      : field.endsWith('seccompProfile')
        ? { type: 'Localhost', localhostProfile: path }
        : path;
    expect(await attempt(withValue(field, value, referring))).toMatchObject({ status: 422 });
  });

  test.for<[string, object]>([
    ['subPath', { ...roomy, volumeMounts: [{ name: 'data', mountPath: '/data', subPath: 'a/../../up' }] }],
    ['items', { volumes: [{ name: 'a', configMap: { name: 'a', items: [{ key: 'k', path: 'a/../../up' }] } }] }],
    [
      'localhostProfile',
      { podSecurityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'a/../../up' } } },
    ],
    ['key', { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'a', key: '..' } } }] }],
  ])('that climbs up in the middle is refused with the Deployment, and explained: %s', async ([, spec]) => {
    const made = await user.ask('POST', paths.microservices(orders.namespace), microservice(orders, spec));
    if (made.status === 422) return;
    expect((await readyWith('Invalid')).message).toMatch(/Deployment .* - correct that field in spec/);
    await isAbsent(childPath('Deployment'));
  });
});

describe('the Service', () => {
  test.for(['NodePort', 'LoadBalancer'])('stays within the cluster where %s is not allowed', async (type) => {
    await make({ service: { type }, ports: [{ name: 'http', containerPort: 8080, nodePort: 30_080 }] });
    expect(await readyWith('NotAllowed')).toMatchObject({
      status: 'False',
      message: expect.stringMatching(/remove service\.type, or have .* added to operator\.serviceTypes/),
    });
    const { spec } = await api.get(childPath('Service'));
    expect(spec).toMatchObject({ type: 'ClusterIP', ports: [expect.not.objectContaining({ nodePort: 30_080 })] });
    const { status } = await api.get(microservicePath());
    expect(status.conditions.map(({ type: is }: Wire) => is)).toEqual(['Ready', 'Stalled']);
  });

  test('opens a port on the nodes where the installation allows it', async () => {
    await operator.stop();
    const env = { OPERATOR_SERVICE_TYPES: 'ClusterIP,NodePort' };
    operator = await OperatorProcess.start(operatorKubeconfig, env);
    try {
      await make({ service: { type: 'NodePort' } });
      await eventually(async () => expect((await api.get(childPath('Service'))).spec.type).toBe('NodePort'));
      expect((await readyWith('Progressing')).status).toBe('False');
    } finally {
      await operator.stop();
      operator = await OperatorProcess.start(operatorKubeconfig);
    }
  });
});

test('the autoscaler scales the Microservice’s own Deployment, within its bounds', async () => {
  await make(roomy);
  const { spec } = await eventually(() => api.get(childPath('HorizontalPodAutoscaler')));
  expect(spec).toMatchObject({
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'orders' },
    minReplicas: 1,
    maxReplicas: 2,
  });
});

describe('an object of somebody else', () => {
  const body: Readonly<Record<string, object>> = {
    Deployment: {
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'x' } },
        template: { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'x', image: 'x' }] } },
      },
    },
    Service: { spec: { ports: [{ port: 1 }] } },
    PodDisruptionBudget: { spec: { selector: { matchLabels: { app: 'x' } }, maxUnavailable: 1 } },
    ServiceAccount: {},
    ConfigMap: { data: { A: 'theirs' } },
    HorizontalPodAutoscaler: {
      spec: {
        maxReplicas: 3,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' },
      },
    },
  };
  /** What somebody can write onto an object that is not the operator's. */
  const guises: Readonly<Record<string, () => object>> = {
    'as it is': () => ({}),
    'labelled as the operator’s': () => ({
      labels: {
        'app.kubernetes.io/managed-by': 'microservice-platform',
        [`${group}/microservice`]: 'orders',
      },
    }),
  };
  const cases = childKinds.flatMap(({ kind }) => Object.keys(guises).map((guise): [string, string] => [kind, guise]));

  test.for(cases)('under the name of the %s is left as it is, %s', async ([kind, guise]) => {
    const object = { metadata: { name: 'orders', ...guises[guise]?.() }, ...body[kind] };
    await api.post(collections[kind]?.(orders.namespace) ?? '', object);
    const content = async () => {
      const { status: _, ...rest } = await api.get(childPath(kind));
      // Of a Deployment its own controller notes the revision.
      const { resourceVersion: __, managedFields = [], annotations: ___, ...metadata } = rest.metadata;
      const managers = managedFields.map(({ manager }: Wire) => manager);
      return { ...rest, metadata, byOperator: managers.filter((name: string) => name.startsWith('microservice-')) };
    };
    const before = await content();
    await make(roomy);

    expect((await readyWith('Conflict')).message).toContain(`${kind} ${orders.namespace}/orders`);
    expect(await content()).toEqual({ ...before, byOperator: [] });
    await user.delete(microservicePath());
    await eventually(() => isAbsent(microservicePath()));
    expect(await content()).toEqual({ ...before, byOperator: [] });
  });

  test('is left as it is where it is the cluster’s own: kubernetes in default', async () => {
    const kubernetes = { namespace: 'default', name: 'kubernetes' };
    await bind('user', 'only-microservices', 'default');
    const before = await api.get(childPath('Service', kubernetes));
    await make({}, kubernetes);

    await readyWith('Conflict', kubernetes);
    expect(await api.get(childPath('Service', kubernetes))).toEqual(before);
    await user.delete(microservicePath(kubernetes));
  });
});

describe('the metadata of a Microservice', () => {
  test('has no effect on other objects: owners, finalizers, labels and annotations', async () => {
    const victim = await api.post(collections.ConfigMap?.(orders.namespace) ?? '', { metadata: { name: 'victim' } });
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'victim', uid: victim.metadata.uid };
    const metadata = {
      ownerReferences: [{ ...owner, controller: true, blockOwnerDeletion: true }],
      finalizers: ['example.test/held'],
      labels: { app: 'victim', [`${group}/microservice`]: 'victim', 'app.kubernetes.io/managed-by': 'me' },
      annotations: {
        [`${group}/desired-hash`]: 'x',
        [`${group}/replicas-set-by`]: 'autoscaler',
        'kubectl.kubernetes.io/restartedAt': '2026-01-01T00:00:00Z',
        'example.test/note': 'mine',
      },
    };
    const object = microservice(orders, { replicas: 2 });
    await user.post(paths.microservices(orders.namespace), {
      ...object,
      metadata: { ...object.metadata, ...metadata },
    });
    await readyWith('Progressing');

    for (const kind of ['Deployment', 'Service', 'PodDisruptionBudget', 'ServiceAccount']) {
      const child = await api.get(childPath(kind));
      expect(child.metadata.labels).toEqual({
        'app.kubernetes.io/name': 'orders',
        'app.kubernetes.io/managed-by': 'microservice-platform',
        [`${group}/microservice`]: 'orders',
      });
      expect(child.metadata.finalizers).toBeUndefined();
      expect(child.metadata.ownerReferences.map(({ name }: Wire) => name)).toEqual(['orders']);
      expect(JSON.stringify(child)).not.toMatch(/example\.test\/(note|held)|restartedAt/);
    }
    expect((await api.get(childPath('Deployment'))).spec.replicas).toBe(2);
    await user.delete(microservicePath());
    await user.patch(microservicePath(), { metadata: { finalizers: null } });
    await eventually(() => isAbsent(microservicePath()));
    expect(await api.get(childPath('ConfigMap', { ...orders, name: 'victim' }))).toEqual(victim);
  });
});

describe('the status', () => {
  const forged = {
    observedGeneration: 1,
    replicas: 7,
    selector: 'app=victim',
    image: 'evil',
    children: [{ kind: 'ConfigMap', name: 'victim' }],
    conditions: ['Ready', 'Stalled', 'Reconciling'].map((type) => ({
      type,
      status: 'True',
      reason: 'Available',
      message: 'forged',
      lastTransitionTime: '2026-01-01T00:00:00Z',
      observedGeneration: 1,
    })),
  };

  test('is not the user’s to write', async () => {
    const object = { ...microservice(orders), status: forged };
    const { status } = await user.post(paths.microservices(orders.namespace), object);
    expect(status).toEqual({ observedGeneration: -1 });
    const answer = await user.ask(
      'PATCH',
      `${microservicePath()}/status`,
      { status: forged },
      'application/merge-patch+json',
    );
    expect(answer.status).toBe(403);
  });

  test('that somebody forged changes nothing that the operator does, and is put right', async () => {
    const victim = await api.post(collections.ConfigMap?.(orders.namespace) ?? '', { metadata: { name: 'victim' } });
    const { autoscaling: _, ...spec } = roomy;
    await make({ ...spec, replicas: 0 });
    await readyWith('ScaledToZero');
    const made = childKinds.filter(({ kind }) => kind !== 'HorizontalPodAutoscaler');
    const children = () => Promise.all(made.map(({ kind }) => api.get(childPath(kind))));
    const words = async () => {
      const { status } = await api.get(microservicePath());
      return {
        ...status,
        conditions: status.conditions.map(({ lastTransitionTime: __, ...rest }: Wire) => rest),
      };
    };
    const before = { said: await words(), children: await children() };
    await api.patch(`${microservicePath()}/status`, { status: forged });

    await eventually(async () => expect(await words()).toEqual(before.said));
    expect(await children()).toEqual(before.children);
    expect(await api.get(childPath('ConfigMap', { ...orders, name: 'victim' }))).toEqual(victim);
  });
});

describe('text of a user', () => {
  const nasty = '\u001b[31m\n{"level":"error","msg":"forged"}\r\u0007\u202eevil\u0085';
  /** Characters that control a terminal, and those that are not seen, such as the ones that turn the direction of text. */
  const control = /[\p{Cc}\p{Cf}]/u;

  const wordsOf = async () => {
    const { status } = await api.get(microservicePath());
    const { items } = await api.get(paths.events(orders.namespace));
    return [
      ...status.conditions.map(({ message }: Wire) => message),
      ...items.filter(({ regarding }: Wire) => regarding.kind === 'Microservice').map(({ note }: Wire) => note),
    ];
  };

  test('that the API server repeats in a refusal reaches status and events as one plain line', async () => {
    const items = ['a', 'b'].map((key) => ({ key, path: nasty }));
    await make({ replicas: 0 });
    await readyWith('ScaledToZero');
    await user.patch(microservicePath(), {
      spec: { volumes: [{ name: 'a', projected: { sources: [{ configMap: { name: 'a', items } }] } }] },
    });
    await readyWith('Invalid');
    const words = await eventually(async () => {
      const all = await wordsOf();
      expect(all.length).toBeGreaterThan(2);
      return all;
    });
    for (const text of words) expect(text).not.toMatch(control);
  });

  test('that a pod reports reaches status and events as one plain line', async () => {
    await make();
    const { metadata } = await pod();
    const waiting = { reason: 'CreateContainerConfigError', message: `it failed ${nasty} ${'x'.repeat(50_000)}` };
    const containerStatuses = [
      { name: 'orders', image: 'x', imageID: '', ready: false, restartCount: 0, state: { waiting } },
    ];
    await api.patch(`${paths.pods(orders.namespace)}/${metadata.name}/status`, {
      status: { phase: 'Pending', containerStatuses },
    });
    await readyWith('ContainerFailed');
    for (const text of await wordsOf()) {
      expect(text).not.toMatch(control);
      expect(text.length).toBeLessThanOrEqual(1024);
    }
  });

  test('reaches the log and the metrics in no other way than escaped, and in measure', async () => {
    const { text } = await operator.ask('/metrics');
    for (const line of text.split('\n').filter((each) => each !== '')) {
      expect(line).toMatch(/^(# (HELP|TYPE) |[a-zA-Z_:][\w:]*(\{([a-zA-Z_]\w*="[^"\n]*",?)*\})? (\S+)$)/);
    }
    expect(text).not.toMatch(/forged|evil/);
    for (const line of operator.log) {
      expect(line.msg).not.toBe('forged');
      expect(JSON.stringify(line).length).toBeLessThan(4_000);
    }
  });
});

describe('the operator, after all of this', () => {
  test('has written nothing that is not a child of a Microservice of the same namespace', async () => {
    const written: Wire[] = [];
    for (const { apiVersion, plural } of childKinds) {
      const { items } = await api.get(`/${apiVersion === 'v1' ? 'api' : 'apis'}/${apiVersion}/${plural}`);
      written.push(
        ...items.filter(({ metadata }: Wire) =>
          metadata.managedFields?.some(({ manager }: Wire) => manager.startsWith('microservice-platform')),
        ),
      );
    }
    expect(written.length).toBeGreaterThan(20);
    for (const { metadata } of written) {
      expect(metadata.namespace).toMatch(/^(test-\d+|default)$/);
      const [owner, ...others] = metadata.ownerReferences;
      expect(others).toEqual([]);
      expect(owner).toMatchObject({ kind: 'Microservice', name: metadata.name, controller: true });
    }
  });

  test('was refused nothing for want of a right', async () => {
    const { text } = await operator.ask('/metrics');
    expect(text.split('\n').filter((line) => /code="(401|403)"/.test(line))).toEqual([]);
    expect(operator.log.filter((line) => /fault in the operator/.test(JSON.stringify(line)))).toEqual([]);
  });
});
