import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readConfig } from '../../operator/src/config.ts';
import { readConfig as readLogCollectorConfig } from '../../operator/src/log-collector/config.ts';
import { chart, find, names, notes, ofKind, platformNamespace, render, type Wire } from './rendered.ts';

const schema: Wire = JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8'));

/** The part of the schema that a value is held to. */
function schemaOf(path: readonly string[]): Wire {
  return path.reduce((part: Wire, key) => {
    const object = part?.$ref ? schema.$defs[part.$ref.split('/').at(-1)] : part;
    return object?.properties?.[key] ?? object?.additionalProperties;
  }, schema);
}

function leaves(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([key, part]) => leaves(part, [...path, key]));
}

/** Every key at every level, but what is below a level that is open to any key. */
function keys(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  const open = path[0] === 'global' || ['requests', 'limits'].includes(path.at(-1) ?? '');
  if (typeof value !== 'object' || value === null || Array.isArray(value) || open) return [];
  return Object.entries(value).flatMap(([key, part]) => [[...path, key], ...keys(part, [...path, key])]);
}

/** Values with one key, misspelt. */
const misspelt = (path: readonly string[], value: unknown) =>
  path.reduceRight<unknown>((inner, key, at) => ({ [at === path.length - 1 ? `${key}s` : key]: inner }), value);

/** Every object of the schema that says which keys it has, by where it is. */
function levels(part: Wire, at: string): (readonly [string, Wire])[] {
  if (typeof part !== 'object' || part === null) return [];
  const below = Object.entries(part).flatMap(([key, inner]) => levels(inner, `${at}/${key}`));
  return part.type === 'object' ? [[at, part], ...below] : below;
}

describe('the values of the chart', () => {
  const defaults: Wire = parse(readFileSync(join(chart, 'values.yaml'), 'utf8'));

  it.each(leaves(defaults).map((path) => path.join('.')))('describe %s', (path) => {
    expect(schemaOf(path.split('.'))).toMatchObject({ description: expect.stringMatching(/.+/) });
  });

  it.each([
    [{ oprator: {} }, /oprator/],
    [{ operator: { replicas: 0 } }, /operator.*replicas/s],
    [{ operator: { auditSeconds: 0 } }, /operator.*auditSeconds/s],
    [
      { operator: { traces: true }, tracing: { mode: 'none' } },
      /set tracing\.mode=embedded, or operator\.traces=false/,
    ],
    [{ metrics: { mode: 'external' } }, /metrics\/mode.*embedded.*none/s],
    [{ operator: { logLevel: 'loud' } }, /operator\/logLevel.*debug.*info.*warn.*error/s],
    [{ operator: { serviceTypes: ['ExternalName'] } }, /operator\/serviceTypes.*ClusterIP.*NodePort.*LoadBalancer/s],
    [{ operator: { rolloutOnSecretChange: 'yes' } }, /operator\/rolloutOnSecretChange.*boolean/s],
    [{ alertmanager: { receivers: { page: { webhook: { urlKey: 'url' } } } } }, /receivers\/page.*'secret' required/s],
    [{ alertmanager: { receivers: { page: { secret: 'unused' } } } }, /receivers\/page.*'webhook'/s],
    [
      { alertmanager: { receivers: { ticket: { secret: 's', pagerduty: { routingKey: 'abc' } } } } },
      /receivers\/ticket\/pagerduty.*routingKeyKey/s,
    ],
    [
      {
        alertmanager: { receivers: { page: { email: { to: 'a@b', from: 'c@d', smarthost: 'm:25', username: 'u' } } } },
      },
      /receivers\/page.*passwordKey/s,
    ],
    [
      {
        alertmanager: {
          receivers: {
            page: { email: { to: 'a@b', from: 'c@d', smarthost: 'm:25', username: 'u', passwordKey: 'p' } },
          },
        },
      },
      /receivers\/page.*'secret'/s,
    ],
    [{ alertmanager: { receivers: { pager: {} } } }, /receivers.*'pager' not allowed/s],
    [{ alertmanager: { mode: 'external' } }, /alertmanager\/mode.*embedded.*none/s],
    [{ prometheus: { scrapeInterval: 'often' } }, /prometheus\/scrapeInterval/],
    [{ logs: { mode: 'external' } }, /logs\/mode.*embedded.*none/s],
    [{ logCollector: { lookbackSeconds: 4000 } }, /logCollector\/lookbackSeconds.*3,?000/s],
    [{ loki: { retention: '12h' } }, /loki\.retention is too short.*24h/s],
    [{ operator: { image: { repository: 'operator' } } }, /operator\/image\/repository/],
  ])('refuse %j and name what is wrong', (values, message) => {
    expect(() => render(values)).toThrow(message);
  });

  it.each(keys(defaults).map((path) => path.join('.')))('refuse %s misspelt, and name it', (name) => {
    const path = name.split('.');
    const value = path.reduce((part, key) => part[key], defaults);
    expect(() => render(misspelt(path, value) as object)).toThrow(new RegExp(`'${path.at(-1)}s' not allowed`));
  });

  it('are closed at every level but `global`, labels and quantities', () => {
    const open = levels(schema, '').filter(([, { additionalProperties }]) => additionalProperties !== false);
    expect(open.map(([at]) => at)).toEqual([
      '/properties/global',
      '/properties/metrics/properties/prometheusOperator/properties/labels',
      '/$defs/quantities',
    ]);
    expect(() => render({ imagePullSecrets: [{ nam: 'registry' }] })).toThrow(/nam/);
  });

  it('leave `global` to a parent chart', () => {
    expect(() => render({ global: { anything: { at: 'all' } } })).not.toThrow();
  });

  it('take every image from the registry that global.imageRegistry names', () => {
    const deployments = ofKind(
      render({ global: { imageRegistry: 'registry.example.test:5000/mirror' } }),
      'Deployment',
    );
    const images = deployments.map(({ spec }): string => spec.template.spec.containers[0].image);
    expect(images.sort()).toEqual([
      expect.stringMatching(/^registry\.example\.test:5000\/mirror\/grafana\/grafana:/),
      expect.stringMatching(/^registry\.example\.test:5000\/mirror\/grafana\/loki:/),
      expect.stringMatching(/^registry\.example\.test:5000\/mirror\/jaegertracing\/jaeger:/),
      // Also the log collector's.
      'registry.example.test:5000/mirror/microservice-platform/operator:0.1.0',
      'registry.example.test:5000/mirror/microservice-platform/operator:0.1.0',
      expect.stringMatching(/^registry\.example\.test:5000\/mirror\/prom\/alertmanager:/),
      expect.stringMatching(/^registry\.example\.test:5000\/mirror\/prom\/prometheus:/),
    ]);
  });

  it('give every pod the Secrets for its registry', () => {
    const deployments = ofKind(render({ imagePullSecrets: [{ name: 'registry' }] }), 'Deployment');
    for (const { spec } of deployments) {
      expect(spec.template.spec.imagePullSecrets).toEqual([{ name: 'registry' }]);
    }
  });

  it('reach the operator', () => {
    const objects = render({
      operator: {
        logLevel: 'debug',
        concurrency: 7,
        serviceTypes: ['ClusterIP', 'NodePort'],
        image: { repository: 'localhost/a/operator', tag: 'b' },
      },
    });
    const [container] = find(objects, 'Deployment', 'operator').spec.template.spec.containers;
    expect(container.image).toBe('localhost/a/operator:b');
    expect(container.env).toEqual(
      expect.arrayContaining([
        { name: 'OPERATOR_LOG_LEVEL', value: 'debug' },
        { name: 'OPERATOR_CONCURRENCY', value: '7' },
        { name: 'OPERATOR_SERVICE_TYPES', value: 'ClusterIP,NodePort' },
      ]),
    );
  });

  it.each([{}, { rolloutOnSecretChange: true }, { serviceTypes: [] }, { serviceTypes: ['LoadBalancer'] }])(
    'make an environment that the operator can read: %j',
    (operator) => {
      const [container] = find(render({ operator }), 'Deployment', 'operator').spec.template.spec.containers;
      const env: Record<string, string> = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };
      for (const { name, value, valueFrom } of container.env) {
        env[name] = valueFrom?.fieldRef.fieldPath === 'metadata.namespace' ? platformNamespace : value;
      }
      const { rolloutOnSecretChange = false, serviceTypes = [] } = operator;
      expect(readConfig(env)).toMatchObject({
        rolloutOnSecretChange,
        contentKey: rolloutOnSecretChange ? { namespace: platformNamespace, name: 'operator-content-key' } : undefined,
        serviceTypes: ['ClusterIP', ...serviceTypes],
      });
    },
  );

  it('make an environment that the log collector can read', () => {
    const values = { operator: { namespaces: ['shop'] }, logCollector: { lookbackSeconds: 60, backlogMebibytes: 2 } };
    const [container] = find(render(values), 'Deployment', 'log-collector').spec.template.spec.containers;
    const env: Record<string, string> = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };
    for (const { name, value } of container.env) env[name] = value;
    expect(readLogCollectorConfig(env)).toMatchObject({
      loki: `http://loki.${platformNamespace}.svc:3100`,
      namespaces: ['shop'],
      lookbackMs: 60_000,
      backlogBytes: 2 * 1024 * 1024,
    });
  });

  it('keep lines in a claim of the class that is named, when they are to outlive the pod', () => {
    const storage = { persistent: true, size: '5Gi', storageClassName: 'fast' };
    const objects = render({ loki: { storage } });
    expect(find(objects, 'PersistentVolumeClaim', 'loki').spec).toMatchObject({
      storageClassName: 'fast',
      resources: { requests: { storage: '5Gi' } },
    });
    const { volumes } = find(objects, 'Deployment', 'loki').spec.template.spec;
    expect(volumes).toContainEqual({ name: 'data', persistentVolumeClaim: { claimName: 'loki' } });
  });

  it('keep samples in a claim of the class that is named, when they are to outlive the pod', () => {
    const storage = { persistent: true, size: '5Gi', storageClassName: 'fast' };
    const objects = render({ prometheus: { storage } });
    expect(find(objects, 'PersistentVolumeClaim', 'prometheus').spec).toMatchObject({
      storageClassName: 'fast',
      resources: { requests: { storage: '5Gi' } },
    });
    expect(find(objects, 'Deployment', 'prometheus').spec.template.spec.volumes).toContainEqual({
      name: 'data',
      persistentVolumeClaim: { claimName: 'prometheus' },
    });
  });
});

describe('the modes of the chart', () => {
  it('bring Alertmanager, Grafana, Jaeger, Loki with its collector and Prometheus by default', () => {
    const deployments = ['alertmanager', 'grafana', 'jaeger', 'log-collector', 'loki', 'operator', 'prometheus'];
    expect(names(render(), 'Deployment')).toEqual(deployments);
  });

  it('leave out everything of Jaeger, its scrape job and its data source too', () => {
    const objects = render({ tracing: { mode: 'none' }, logs: { mode: 'none' }, dashboards: { enabled: false } });
    expect(names(objects, 'Deployment')).toEqual(['alertmanager', 'grafana', 'operator', 'prometheus']);
    // What `helm test` would say about it is written down all the same.
    const running = objects.filter(({ metadata }) => metadata.name !== 'platform-check');
    expect(JSON.stringify(running)).not.toContain('jaeger');
  });

  it('leave out everything of Prometheus, its rights too', () => {
    const objects = render({ metrics: { mode: 'none' }, logs: { mode: 'none' } });
    expect(names(objects, 'Deployment')).toEqual(['grafana', 'jaeger', 'operator']);
    expect(objects.filter(({ metadata }) => metadata.name.includes('prometheus'))).toEqual([]);
  });

  it('leave out everything of Loki and its collector: rights, scrape jobs, data source and links to it', () => {
    const objects = render({ logs: { mode: 'none' }, dashboards: { enabled: false } });
    expect(names(objects, 'Deployment')).toEqual(['alertmanager', 'grafana', 'jaeger', 'operator', 'prometheus']);
    // The rules are the same whatever is there.
    const others = objects.filter(
      ({ kind, metadata }) => kind !== 'CustomResourceDefinition' && metadata.name !== 'prometheus-alerts',
    );
    expect(JSON.stringify(others)).not.toMatch(/loki|log-collector/i);
  });

  it('leave out everything of Grafana, its scrape job too, but not the dashboards', () => {
    const objects = render({ grafana: { mode: 'none' } });
    expect(objects.filter(({ metadata }) => metadata.name.includes('grafana'))).toEqual([]);
    expect(find(objects, 'ConfigMap', 'prometheus').data['prometheus.yml']).not.toContain('grafana');
  });

  it.each([{ alertmanager: { mode: 'none' } }, { metrics: { mode: 'none' } }, { alerts: { enabled: false } }])(
    'leave out everything of Alertmanager, where it is not wanted or nobody would tell it anything: %j',
    (values) => {
      const objects = render({ ...values, dashboards: { enabled: false } });
      const running = objects.filter(({ metadata }) => metadata.name !== 'platform-check');
      expect(JSON.stringify(running)).not.toContain('alertmanager');
    },
  );

  it('leave the definition of Microservice to whoever brings it', () => {
    expect(ofKind(render({ crds: { install: false } }), 'CustomResourceDefinition')).toEqual([]);
  });

  it('keep the definition when the release goes, unless told otherwise', () => {
    const policy = (keep: boolean) =>
      find(render({ crds: { keep } }), 'CustomResourceDefinition', 'microservices.microservice-platform.io').metadata
        .annotations?.['helm.sh/resource-policy'];
    expect([policy(true), policy(false)]).toEqual(['keep', undefined]);
  });
});

describe('the notes after an install', () => {
  it('say where traces, metrics and logs are', () => {
    expect(notes({})).toMatch(/service\/jaeger 16686.*every 5s.*service\/prometheus 9090.*24h.*service\/loki 3100/s);
  });

  it('say what is missing instead, when it is left out', () => {
    const none = { mode: 'none' };
    const text = notes({ tracing: none, metrics: none, logs: none, grafana: none, crds: { install: false } });
    expect(text).toMatch(
      /tracing\.mode=none.*metrics\.mode=none.*logs\.mode=none.*grafana\.mode=none.*crds\.install=false/s,
    );
    expect(text).not.toMatch(/port-forward/);
  });

  it.each([
    [{}, /service\/grafana 3000.*may look, and change nothing.*Nobody can log in/s],
    [{ grafana: { anonymous: false, adminSecret: 'who' } }, /`username` and `password` of the Secret who\./],
    [{ metrics: { mode: 'none' } }, /It has no metrics to show/],
    [{ tracing: { mode: 'none' } }, /It has no traces to show/],
    [{ dashboards: { enabled: false } }, /It has no dashboards/],
    [{ grafana: { mode: 'none' } }, /One of your own finds the dashboards by the label grafana_dashboard=1/],
  ])('say how to open Grafana, who may log in, and what it lacks: %j', (values, said) => {
    expect(notes(values)).toMatch(said);
  });

  it('say nothing of a login or of what is missing where it is not so', () => {
    expect(notes({})).not.toMatch(/It has no|logs in|=none/);
    expect(notes({ grafana: { anonymous: false, adminSecret: 'who' } })).not.toMatch(/Whoever|Nobody/);
    expect(notes({ grafana: { mode: 'none' }, dashboards: { enabled: false } })).not.toMatch(/your own finds/);
  });

  it('say how to try it, and what is tried', () => {
    const command = `helm test platform --namespace ${platformNamespace}`;
    expect(notes({})).toMatch(new RegExp(`its trace arrive, its target be up.*${command}`, 's'));
    expect(notes({ tracing: { mode: 'none' } })).not.toMatch(/its trace arrive/);
  });

  it('warn when uninstalling would take every Microservice along', () => {
    expect(notes({ crds: { keep: false } })).toMatch(/crds\.keep=false/);
  });
});
