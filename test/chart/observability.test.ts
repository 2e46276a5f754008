import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readConfig } from '../../operator/src/config.ts';
import { chart, find, helm, names, notes, render, type Wire } from './rendered.ts';

/** What the operator makes of the environment that the chart gives it. */
function configOf(values: object) {
  const { env } = find(render(values), 'Deployment', 'operator').spec.template.spec.containers[0];
  const stated = env.map(({ name, value }: Wire) => [name, value ?? 'from-the-pod']);
  const inPod = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };
  return readConfig({ ...inPod, ...Object.fromEntries(stated) });
}

const none = { tracing: { mode: 'none' }, metrics: { mode: 'none' }, grafana: { mode: 'none' } };

describe('the operator of the chart', () => {
  it('is told of the Jaeger, the Prometheus and the Grafana that are embedded', () => {
    expect(configOf({})).toMatchObject({
      collector: 'http://jaeger.microservice-platform.svc:4318',
      prometheus: 'http://prometheus.microservice-platform.svc:9090',
      pages: { grafana: 'http://grafana.microservice-platform.svc:3000', sources: ['prometheus', 'jaeger', 'loki'] },
    });
  });

  it('is told of none where there are none', () => {
    expect(configOf(none)).toMatchObject({ collector: undefined, prometheus: undefined, pages: undefined });
  });

  it('is told of those of somebody else instead, and promises no page that they may not have', () => {
    const values = {
      tracing: { mode: 'none', endpoint: 'http://collector.monitoring.svc:4318' },
      metrics: { mode: 'none', url: 'http://prometheus.monitoring.svc:9090' },
      grafana: { mode: 'none', url: 'https://grafana.example.com' },
    };
    expect(configOf(values)).toMatchObject({
      collector: 'http://collector.monitoring.svc:4318',
      prometheus: 'http://prometheus.monitoring.svc:9090',
      pages: { grafana: 'https://grafana.example.com', sources: ['prometheus'] },
    });
    expect(notes(values)).toMatch(/spec\.observability\.tracing send OTLP to http:\/\/collector\.monitoring\.svc:4318/);
  });

  it.each([
    { tracing: { endpoint: 'jaeger:4318' } },
    { metrics: { url: 'prometheus' } },
    { grafana: { url: 'http://a?b' } },
  ])('is not told of an address that is none: %j', (values) => {
    expect(() => render(values)).toThrow(/does not match pattern/);
  });
});

describe('what the chart brings for a Prometheus Operator', () => {
  const created = (create: unknown, ...args: string[]) =>
    names(
      parseAll(
        helm(
          ['template', 'a', chart, ...args, '--values', '-'],
          JSON.stringify({ metrics: { prometheusOperator: { create } } }),
        ),
      ),
      'PodMonitor',
    );
  const parseAll = (text: string): readonly Wire[] => text.split(/^---$/m).flatMap((part) => parse(part) ?? []);

  it('is there where the cluster knows PodMonitors, or where it is asked for', () => {
    expect(created('auto')).toEqual([]);
    expect(created('auto', '--api-versions', 'monitoring.coreos.com/v1/PodMonitor')).toEqual([
      'microservices',
      'operator',
    ]);
    expect(created(true)).toEqual(['microservices', 'operator']);
    expect(created(false, '--api-versions', 'monitoring.coreos.com/v1/PodMonitor')).toEqual([]);
  });

  it('asks the same pods at the same places as the embedded Prometheus, and has the labels that are wished for', () => {
    const objects = render({ metrics: { prometheusOperator: { create: true, labels: { release: 'monitoring' } } } });
    const { metadata, spec } = find(objects, 'PodMonitor', 'microservices');
    expect(metadata.labels.release).toBe('monitoring');
    const { scrape_configs } = parse(find(objects, 'ConfigMap', 'prometheus').data['prometheus.yml']);
    const own = scrape_configs[0].relabel_configs.map(({ source_labels, target_label, ...rest }: Wire) => ({
      ...rest,
      ...(source_labels && { sourceLabels: source_labels }),
      ...(target_label && { targetLabel: target_label }),
    }));
    expect(spec.podMetricsEndpoints[0].relabelings).toEqual(expect.arrayContaining(own));
    expect(spec.selector.matchExpressions[0].key).toBe(scrape_configs[0].kubernetes_sd_configs[0].selectors[0].label);
  });

  it('watches for the same as the embedded Prometheus, and leads to the same runbooks', () => {
    const runbooks = 'https://docs.example.com/runbooks';
    const objects = render({ metrics: { prometheusOperator: { create: true } }, alerts: { runbooks } });
    const { spec } = find(objects, 'PrometheusRule', 'microservice-platform');
    const own: Readonly<Record<string, string>> = find(objects, 'ConfigMap', 'prometheus-alerts').data;
    expect(spec.groups).toEqual(Object.values(own).flatMap((file) => parse(file).groups));
    expect(
      names(
        render({ metrics: { prometheusOperator: { create: true } }, alerts: { enabled: false } }),
        'PrometheusRule',
      ),
    ).toEqual([]);
  });

  it('knows the operator by the job that the rules name', () => {
    const objects = render({ metrics: { prometheusOperator: { create: true } } });
    const { spec } = find(objects, 'PodMonitor', 'operator');
    expect(spec.podMetricsEndpoints[0]).toMatchObject({
      port: 'http',
      relabelings: [{ replacement: 'operator', targetLabel: 'job' }, {}],
    });
    expect(find(objects, 'Deployment', 'operator').spec.template.metadata.labels).toMatchObject(
      spec.selector.matchLabels,
    );
  });

  it('looks only where the operator works', () => {
    const values = { metrics: { prometheusOperator: { create: true } }, operator: { namespaces: ['shop', 'team-a'] } };
    const { spec } = find(render(values), 'PodMonitor', 'microservices');
    expect(spec.namespaceSelector).toEqual({ matchNames: ['shop', 'team-a'] });
  });
});
