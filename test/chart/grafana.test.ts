import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { find, platformNamespace, render, type Wire } from './rendered.ts';

/** Grafana's settings, as `section.key`. */
function settings(values: object = {}): Record<string, string> {
  const ini: string = find(render(values), 'ConfigMap', 'grafana').data['grafana.ini'];
  let section = '';
  return Object.fromEntries(
    ini.split('\n').flatMap((line): [string, string][] => {
      section = /^\[(.+)\]$/.exec(line)?.[1] ?? section;
      const [, key, value = ''] = /^(\w+) = ?(.*)$/.exec(line) ?? [];
      return key === undefined ? [] : [[`${section}.${key}`, value]];
    }),
  );
}

/** What comes from Secrets, as `name/key` by variable. */
function fromSecrets(values: object): Record<string, string> {
  const [container] = find(render(values), 'Deployment', 'grafana').spec.template.spec.containers;
  return Object.fromEntries(
    container.env.flatMap(({ name, valueFrom: { secretKeyRef: from } = {} }: Wire) =>
      from ? [[name, `${from.name}/${from.key}`]] : [],
    ),
  );
}

describe('the Grafana of the chart', () => {
  it('lets everybody look and nobody change anything, and has no administrator, by default', () => {
    expect(settings()).toMatchObject({
      'auth.anonymous.enabled': 'true',
      'auth.anonymous.org_role': 'Viewer',
      'auth.disable_login_form': 'true',
      'auth.basic.enabled': 'false',
      'security.disable_initial_admin_creation': 'true',
    });
    expect(fromSecrets({})).toEqual({});
  });

  it('has the administrator of the Secret that is named, and a login then', () => {
    const values = { grafana: { anonymous: false, adminSecret: 'who' } };
    expect(settings(values)).toMatchObject({
      'auth.anonymous.enabled': 'false',
      'auth.disable_login_form': 'false',
      'auth.basic.enabled': 'true',
      'security.disable_initial_admin_creation': 'false',
    });
    expect(fromSecrets(values)).toEqual({
      GF_SECURITY_ADMIN_USER: 'who/username',
      GF_SECURITY_ADMIN_PASSWORD: 'who/password',
    });
  });

  it('is refused where nobody could open it, with what to do', () => {
    expect(() => render({ grafana: { anonymous: false } })).toThrow(/nobody could open Grafana.*adminSecret/s);
  });

  it('asks nobody outside of the cluster for anything', () => {
    expect(settings()).toMatchObject({
      'analytics.enabled': 'false',
      'analytics.reporting_enabled': 'false',
      'analytics.check_for_updates': 'false',
      'analytics.check_for_plugin_updates': 'false',
      'news.news_feed_enabled': 'false',
      'snapshots.external_enabled': 'false',
      'security.disable_gravatar': 'true',
      'plugins.preinstall_disabled': 'true',
      'plugins.public_key_retrieval_disabled': 'true',
    });
  });

  it('gets every file that its configuration speaks of', () => {
    const { data } = find(render(), 'ConfigMap', 'grafana');
    const { containers, volumes } = find(render(), 'Deployment', 'grafana').spec.template.spec;
    const { items } = volumes.find(({ name }: Wire) => name === 'config').configMap;
    expect(items.map(({ key }: Wire) => key).sort()).toEqual(Object.keys(data).sort());
    const parts = containers[0].volumeMounts.flatMap(({ subPath }: Wire) => subPath ?? []);
    for (const { path } of items) expect(parts).toContain(path.split('/')[0]);
  });
});

/** What Grafana reads of its data sources, by uid, after it has put in what `$` stands for. */
function sources(values: object = {}): Readonly<Record<string, Wire>> {
  const text: string = find(render(values), 'ConfigMap', 'grafana').data['datasources.yaml'];
  const { datasources } = parse(text.replaceAll('$$', '$')) as Wire;
  return Object.fromEntries(datasources.map((source: Wire) => [source.uid, source]));
}

describe('the data sources of Grafana', () => {
  it('have their type for their uid, and the address of a Service of the chart at a port that it has', () => {
    const objects = render();
    const all = Object.values(sources());
    expect(Object.keys(sources()).sort()).toEqual(['alertmanager', 'jaeger', 'loki', 'prometheus']);
    for (const { uid, type, url } of all) {
      expect(type).toBe(uid);
      const { hostname, port } = new URL(url);
      expect(hostname).toBe(`${uid}.${platformNamespace}.svc`);
      expect(find(objects, 'Service', uid).spec.ports.map((each: Wire) => `${each.port}`)).toContain(port);
    }
  });

  it('lead from a line to its trace, from a span to the lines of its service, and from a latency to a trace', () => {
    const { loki, jaeger, prometheus } = sources();
    expect(loki.jsonData.derivedFields).toMatchObject([
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own
      { matcherType: 'label', matcherRegex: 'trace_id', datasourceUid: 'jaeger', url: '${__value.raw}' },
    ]);
    expect(jaeger.jsonData.tracesToLogsV2).toMatchObject({
      datasourceUid: 'loki',
      // Two namespaces may have a service of the same name.
      tags: [
        { key: 'service.name', value: 'service' },
        { key: 'k8s.namespace.name', value: 'namespace' },
      ],
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own
      query: '{${__tags}} | trace_id=`${__span.traceId}`',
    });
    expect(prometheus.jsonData.exemplarTraceIdDestinations).toEqual([{ name: 'trace_id', datasourceUid: 'jaeger' }]);
  });

  it.each([
    [{ logs: { mode: 'none' } }, ['alertmanager', 'jaeger', 'prometheus']],
    [{ tracing: { mode: 'none' } }, ['alertmanager', 'loki', 'prometheus']],
    [{ alertmanager: { mode: 'none' } }, ['jaeger', 'loki', 'prometheus']],
    [{ metrics: { mode: 'none' } }, ['jaeger', 'loki']],
  ])('lead nowhere that is not there: %j', (values, left) => {
    const there = sources(values);
    expect(Object.keys(there).sort()).toEqual(left);
    const led = JSON.stringify(there).matchAll(/"datasourceUid":"(\w+)"/g);
    for (const [, uid] of led) expect(left).toContain(uid);
  });
});
