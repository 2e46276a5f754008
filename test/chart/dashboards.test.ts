import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { panelFaults, queryFaults } from './lint.ts';
import { find, ofKind, platformNamespace, render, repository, type Wire } from './rendered.ts';

const objects = render();
const provisioned: readonly Wire[] = parse(find(objects, 'ConfigMap', 'grafana').data['datasources.yaml']).datasources;
const configMaps = (from: readonly Wire[]) =>
  ofKind(from, 'ConfigMap').filter(({ metadata }) => metadata.labels.grafana_dashboard === '1');
const dashboards: readonly (readonly [string, Wire])[] = configMaps(objects).flatMap(({ data }) =>
  Object.entries<string>(data).map(([file, text]): [string, Wire] => [file, JSON.parse(text)]),
);

const panelsOf = ({ panels }: Wire): readonly Wire[] => panels.filter(({ type }: Wire) => type !== 'row');
const linksOf = ({ fieldConfig }: Wire): readonly Wire[] => fieldConfig.defaults.links;

/** Every reference to a data source, at any depth. */
function sourcesIn(value: unknown): readonly Wire[] {
  if (typeof value !== 'object' || value === null) return [];
  const { datasource }: Wire = value;
  return [...(datasource ? [datasource] : []), ...Object.values(value).flatMap(sourcesIn)];
}

describe('the data sources of Grafana', () => {
  it('are a Service and a port of the chart each', () => {
    const addresses = ofKind(objects, 'Service').flatMap(({ metadata, spec }) =>
      spec.ports.map(({ port }: Wire) => `http://${metadata.name}.${platformNamespace}.svc:${port}`),
    );
    for (const { url } of provisioned) expect(addresses).toContain(url);
  });

  it.each([
    [{}, ['prometheus', 'jaeger', 'loki', 'alertmanager']],
    [{ tracing: { mode: 'none' } }, ['prometheus', 'loki', 'alertmanager']],
    [{ logs: { mode: 'none' } }, ['prometheus', 'jaeger', 'alertmanager']],
    [{ alertmanager: { mode: 'none' } }, ['prometheus', 'jaeger', 'loki']],
    [{ metrics: { mode: 'none' }, alertmanager: { mode: 'none' } }, ['jaeger', 'loki']],
    [
      { tracing: { mode: 'none' }, metrics: { mode: 'none' }, logs: { mode: 'none' }, alertmanager: { mode: 'none' } },
      [],
    ],
  ])('are those that the chart embeds: %j', (values, expected) => {
    const { datasources } = parse(find(render(values), 'ConfigMap', 'grafana').data['datasources.yaml']);
    expect((datasources ?? []).map(({ uid }: Wire) => uid)).toEqual(expected);
  });
});

describe('the dashboards of the chart', () => {
  it('are a ConfigMap each, below 200 kB', () => {
    expect(dashboards.map(([file]) => file).sort()).toEqual([
      'microservice.json',
      'platform-gateway.json',
      'platform-messaging.json',
      'platform-operator.json',
      'platform-overview.json',
      'platform-slo.json',
    ]);
    for (const { data } of configMaps(objects)) {
      expect(Object.keys(data)).toHaveLength(1);
      expect(JSON.stringify(data).length).toBeLessThan(200_000);
    }
  });

  it('are there for a Grafana of one’s own, and are left out when not wanted', () => {
    expect(configMaps(render({ grafana: { mode: 'none' } }))).toHaveLength(dashboards.length);
    const without = render({ dashboards: { enabled: false } });
    expect(configMaps(without)).toEqual([]);
    expect(JSON.stringify(find(without, 'Deployment', 'grafana'))).not.toContain('dashboards');
  });

  it('are all mounted where Grafana looks for them, its first page too', () => {
    const { containers, volumes } = find(objects, 'Deployment', 'grafana').spec.template.spec;
    const { sources } = volumes.find(({ name }: Wire) => name === 'dashboards').projected;
    const mounted = sources.map(({ configMap }: Wire) => find(objects, 'ConfigMap', configMap.name).data);
    const { mountPath } = containers[0].volumeMounts.find(({ name }: Wire) => name === 'dashboards');
    const files = mounted.flatMap((data: Wire) => Object.keys(data)).map((file: string) => `${mountPath}/${file}`);
    expect(files).toHaveLength(dashboards.length);
    const { data: config } = find(objects, 'ConfigMap', 'grafana');
    const { providers } = parse(config['dashboards.yaml']);
    expect(providers[0].options.path).toBe(mountPath);
    const [, home] = /^default_home_dashboard_path = (.+)$/m.exec(config['grafana.ini']) ?? [];
    expect(files).toContain(home);
  });

  it('are written in the types of the Grafana that the chart runs', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
    const [container] = find(objects, 'Deployment', 'grafana').spec.template.spec.containers;
    expect(container.image.split(':').at(-1)).toBe(devDependencies['@grafana/schema']);
  });
});

describe.each(dashboards)('%s', (file, dashboard) => {
  it('asks only data sources that are provisioned, by variables that start with them', () => {
    const variables: readonly Wire[] = dashboard.templating.list.filter(({ type }: Wire) => type === 'datasource');
    const started = variables.map(({ name, query, current }) => [`\${${name}}`, { type: query, uid: current.value }]);
    const references = new Map<string, Wire>(started as [string, Wire][]);
    const sources = provisioned.map(({ type, uid }) => ({ type, uid }));
    for (const { type, uid } of sourcesIn([dashboard.panels, dashboard.templating])) {
      expect(references.get(uid)?.type).toBe(type);
      expect(sources).toContainEqual(references.get(uid));
    }
  });

  it('has a uid that is its file’s name, the platform’s tag, and a link to the others', () => {
    expect(dashboard).toMatchObject({ uid: file.replace('.json', ''), tags: ['microservice-platform'] });
    expect(dashboard.links).toContainEqual(
      expect.objectContaining({ type: 'dashboards', tags: ['microservice-platform'], keepTime: true }),
    );
  });

  it.each(panelsOf(dashboard).map((panel): [string, Wire] => [panel.title, panel]))(
    'asks in %s, by metrics and labels that somebody has, what it says that it shows, and leads on from there',
    (_, panel) => {
      expect(panelFaults(panel)).toEqual([]);
    },
  );

  it('marks what happened by metrics and labels that somebody has', () => {
    const { list }: Wire = dashboard.annotations;
    const aboutOne = dashboard.templating.list.some(({ name }: Wire) => name === 'service');
    expect(list.map(({ name }: Wire) => name)).toEqual(aboutOne ? ['Rollouts', 'Faults on demand'] : []);
    for (const { expr, textFormat } of list) expect(queryFaults({ expr, legendFormat: textFormat })).toEqual([]);
  });

  it('asks Loki by the labels that log lines have', () => {
    const inLoki = panelsOf(dashboard).filter(({ datasource }) => datasource.type === 'loki');
    expect(inLoki).toHaveLength(file === 'microservice.json' ? 1 : 0);
    for (const { targets } of inLoki) expect(targets[0].expr).toBe('{namespace="$namespace", service="$service"}');
  });

  it('places panels beside each other and below, never over', () => {
    const taken = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }: Wire) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    );
    expect(new Set(taken).size).toBe(taken.length);
    expect(Math.max(...dashboard.panels.map(({ gridPos: { x, w } }: Wire) => x + w))).toBe(24);
  });

  it('leads from what a service does to the traces of that service', () => {
    const ofServices = panelsOf(dashboard).filter(({ targets }) => /http_request/.test(JSON.stringify(targets)));
    const lines = ofServices.filter(({ type }) => type === 'timeseries');
    const about = ['platform-overview.json', 'microservice.json', 'platform-gateway.json'];
    expect(lines.length > 0).toBe(about.includes(file));
    for (const panel of lines) {
      const { url } = linksOf(panel).find(({ title }) => title.startsWith('Traces of')) ?? {};
      const panes = new URL(url, 'http://grafana').searchParams.get('panes') ?? '';
      const { datasource, queries } = JSON.parse(panes).traces;
      expect([datasource, queries[0].queryType]).toEqual(['${traces}', 'search']);
      expect(['${service}', '${__field.labels.service}', 'api-gateway']).toContain(queries[0].service);
    }
  });

  it('links only to dashboards that are there', () => {
    const uids = dashboards.map(([, { uid }]) => uid);
    const urls = panelsOf(dashboard).flatMap((panel) => linksOf(panel).map(({ url }): string => url));
    for (const url of urls) {
      if (!url.startsWith('/explore?')) expect(uids).toContain(/^\/d\/([^?/]+)\?/.exec(url)?.[1]);
    }
  });
});
