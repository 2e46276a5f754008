import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { childKinds } from '../../operator/src/api/kinds.ts';
import { find, names, ofKind, platformNamespace, render, repository, shop, type Wire } from './rendered.ts';

const objects = render();
const everything = [...objects, ...shop()];

/** Every pod template that is written down, with the name of its owner. */
const podTemplates: readonly (readonly [string, Wire])[] = ['Deployment', 'StatefulSet'].flatMap((kind) =>
  ofKind(everything, kind).map((owner): [string, Wire] => [owner.metadata.name, owner.spec.template]),
);

describe('the rights that the chart gives', () => {
  const changing = ['get', 'list', 'watch', 'create', 'patch', 'delete'];

  it('let the operator do what it does, and nothing else', () => {
    expect(find(objects, 'ClusterRole', 'microservice-platform-operator').rules).toEqual([
      {
        apiGroups: ['microservice-platform.io'],
        resources: ['microservices'],
        verbs: ['get', 'list', 'watch'],
      },
      { apiGroups: ['microservice-platform.io'], resources: ['microservices/status'], verbs: ['patch'] },
      { apiGroups: ['apps'], resources: ['deployments'], verbs: changing },
      { apiGroups: [''], resources: ['services', 'serviceaccounts'], verbs: changing },
      { apiGroups: [''], resources: ['configmaps'], verbs: changing },
      { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: changing },
      { apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers'], verbs: changing },
      { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
      { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create'] },
    ]);
  });

  it('let the operator change every kind of child', () => {
    const rules: readonly Wire[] = find(objects, 'ClusterRole', 'microservice-platform-operator').rules;
    for (const { apiVersion, plural } of childKinds) {
      const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : '';
      const rule = rules.find(({ apiGroups, resources }) => apiGroups.includes(group) && resources.includes(plural));
      expect([plural, rule?.verbs]).toEqual([plural, changing]);
    }
  });

  it('let the operator read Secrets only where pods are to be replaced for them, and write none but its key', () => {
    const withSecrets = render({ operator: { rolloutOnSecretChange: true } });
    const rules = (from: readonly Wire[]): readonly Wire[] =>
      [...ofKind(from, 'ClusterRole'), ...ofKind(from, 'Role')]
        .flatMap((role) => role.rules)
        .filter(({ resources }) => resources.includes('secrets'));

    expect(rules(objects)).toEqual([]);
    expect(rules(withSecrets)).toEqual([
      { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['operator-content-key'], verbs: ['get'] },
    ]);
    expect(find(withSecrets, 'Role', 'operator-content-key').metadata.namespace).toBe(platformNamespace);
    expect(find(withSecrets, 'RoleBinding', 'operator-content-key')).toMatchObject({
      metadata: { namespace: platformNamespace },
      roleRef: { kind: 'Role', name: 'operator-content-key' },
      subjects: [{ kind: 'ServiceAccount', name: 'operator', namespace: platformNamespace }],
    });
  });

  it('let the operator hold its lease, and no other', () => {
    expect(find(objects, 'Role', 'operator-lease')).toMatchObject({
      metadata: { namespace: platformNamespace },
      rules: [
        { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
        {
          apiGroups: ['coordination.k8s.io'],
          resources: ['leases'],
          resourceNames: ['operator'],
          verbs: ['get', 'patch'],
        },
      ],
    });
    expect(find(objects, 'RoleBinding', 'operator-lease')).toMatchObject({
      roleRef: { kind: 'Role', name: 'operator-lease' },
      subjects: [{ kind: 'ServiceAccount', name: 'operator', namespace: platformNamespace }],
    });
  });

  it('of operator and log collector are bound in the namespaces that are named, and then nowhere else', () => {
    const some = render({ operator: { namespaces: ['team-a', 'team-b'] } });
    expect(names(some, 'ClusterRoleBinding')).toEqual(['microservice-platform-prometheus']);
    const bindings = ofKind(some, 'RoleBinding').filter(({ roleRef }) => roleRef.kind === 'ClusterRole');
    const places = bindings.map(({ metadata, roleRef }) => `${roleRef.name} in ${metadata.namespace}`).sort();
    expect(places).toEqual([
      'microservice-platform-log-collector in team-a',
      'microservice-platform-log-collector in team-b',
      'microservice-platform-operator in team-a',
      'microservice-platform-operator in team-b',
    ]);
  });

  it('let the log collector look for pods and read their logs, and nothing else', () => {
    expect(find(objects, 'ClusterRole', 'microservice-platform-log-collector').rules).toEqual([
      { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
      { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
    ]);
  });

  it('let Prometheus look for pods, and nothing else', () => {
    expect(find(objects, 'ClusterRole', 'microservice-platform-prometheus').rules).toEqual([
      { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] },
    ]);
  });

  it('are given by no other role', () => {
    expect(names(objects, 'ClusterRole')).toEqual([
      'microservice-platform-edit', // of people, as is view: see roles.test.ts
      'microservice-platform-log-collector',
      'microservice-platform-operator',
      'microservice-platform-prometheus',
      'microservice-platform-view',
    ]);
    expect(names(objects, 'ClusterRoleBinding')).toEqual([
      'microservice-platform-log-collector',
      'microservice-platform-operator',
      'microservice-platform-prometheus',
    ]);
    expect(names(objects, 'Role')).toEqual(['operator-lease', 'platform-check']);
    for (const { roleRef, subjects } of ofKind(objects, 'ClusterRoleBinding')) {
      const account = roleRef.name.replace('microservice-platform-', '');
      expect(subjects).toEqual([{ kind: 'ServiceAccount', name: account, namespace: 'microservice-platform' }]);
    }
  });
});

describe.each(podTemplates)('the pod of %s', (name, { metadata, spec }) => {
  it('cannot write to its own file system, outside of volumes', () => {
    for (const container of spec.containers) {
      expect(container.securityContext.readOnlyRootFilesystem).toBe(true);
    }
  });

  it('runs as a stated user that is not root', () => {
    expect(spec.securityContext.runAsUser).toBeGreaterThan(0);
  });

  it('holds a token only where it talks to the API server', () => {
    expect(spec.automountServiceAccountToken).toBe(['log-collector', 'operator', 'prometheus'].includes(name));
  });

  it('says how much it needs and how much memory it may take', () => {
    for (const { resources } of spec.containers) {
      expect(resources).toMatchObject({
        requests: { cpu: expect.any(String), memory: expect.any(String) },
        limits: { memory: expect.any(String) },
      });
    }
  });

  it('names a port wherever a probe asks', () => {
    for (const container of spec.containers) {
      const ports = container.ports.map((port: Wire) => port.name);
      for (const probe of [container.readinessProbe, container.livenessProbe, container.startupProbe]) {
        if (probe) expect(ports).toContain((probe.httpGet ?? probe.tcpSocket).port);
      }
    }
  });

  it('is selected by a Service whose ports it has', () => {
    const service = find(everything, 'Service', name);
    expect(metadata.labels).toMatchObject(service.spec.selector);
    const ports = spec.containers.flatMap((container: Wire) => container.ports.map((port: Wire) => port.name));
    for (const port of service.spec.ports) expect(ports).toContain(port.targetPort);
  });
});

describe('the objects of the chart', () => {
  it('hold no Secret', () => {
    expect(ofKind(everything, 'Secret')).toEqual([]);
  });

  it('carry the recommended labels', () => {
    for (const object of objects.filter(({ kind }) => kind !== 'CustomResourceDefinition')) {
      expect(object.metadata.labels).toMatchObject({
        'app.kubernetes.io/name': expect.stringMatching(
          /^(operator|jaeger|log-collector|loki|prometheus|alertmanager|grafana|dashboards|platform-check)$/,
        ),
        'app.kubernetes.io/instance': 'platform',
        'app.kubernetes.io/part-of': 'microservice-platform',
        'app.kubernetes.io/managed-by': 'Helm',
        'app.kubernetes.io/version': '0.1.0',
      });
    }
  });

  it('define Microservice as crds/ does', () => {
    const file = join(repository, 'crds/microservice-platform.io_microservices.yaml');
    const source: Wire = parse(readFileSync(file, 'utf8'));
    const [copy] = ofKind(objects, 'CustomResourceDefinition');
    expect(copy.spec).toEqual(source.spec);
  });

  it.each([
    ['jaeger', { jaeger: { maxTraces: 7 } }],
    ['prometheus', { prometheus: { scrapeInterval: '30s' } }],
    ['prometheus', { prometheus: { retention: { time: '2h' } } }],
    ['prometheus', { tracing: { mode: 'none' } }],
    ['loki', { loki: { retention: '48h' } }],
    ['prometheus', { logs: { mode: 'none' } }],
    ['grafana', { logs: { mode: 'none' } }],
    ['alertmanager', { alertmanager: { receivers: { page: { secret: 'who', webhook: { urlKey: 'url' } } } } }],
    ['prometheus', { alertmanager: { mode: 'none' } }],
    ['grafana', { tracing: { mode: 'none' } }],
    ['grafana', { prometheus: { scrapeInterval: '30s' } }],
  ])('make a new pod of %s when its configuration changes: %j', (name, values) => {
    const annotations = (from: readonly Wire[]) => find(from, 'Deployment', name).spec.template.metadata.annotations;
    expect(annotations(render(values))).not.toEqual(annotations(objects));
    expect(annotations(render({ operator: { logLevel: 'debug' } }))).toEqual(annotations(objects));
  });

  it('have a Jaeger that takes and answers at the ports of its Service', () => {
    const { ports } = find(objects, 'Service', 'jaeger').spec;
    expect(ports.map(({ port }: Wire) => port)).toEqual([4317, 4318, 14268, 16686]);
  });
});

describe('the start scripts of the shop', () => {
  it.each(['postgresql', 'rabbitmq'])('of %s can be read by a plain shell', (name) => {
    const script = find(everything, 'ConfigMap', name).data['start.sh'];
    expect(() => execFileSync('sh', ['-n'], { input: script, stdio: 'pipe' })).not.toThrow();
  });
});
