import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../cluster/wait-for.ts';
import { knownLabels } from '../../dashboards/contract/series.ts';
import { dashboards } from '../../dashboards/files.ts';
import { readPromql } from '../../dashboards/promql.ts';
import { query } from '../../manifests/proof.ts';
import { cluster, url } from '../support/cluster.ts';
import { endLoad, startLoad } from '../support/load.ts';

// Grafana itself is not here: its questions are put to the real Prometheus, Jaeger and Loki, with what a reader would have
// chosen in the place of its variables.
const chosen = { __rate_interval: '1m', namespace: 'shop', service: 'order-service' } as const;
const [ratePerSecond, loadMs] = [10, 120_000];

/** What is empty while all is well. */
const emptyWhenWell = ['platform-overview: Alerts that fire', 'platform-slo: Alerts of services'];

interface Question {
  readonly panel: string;
  readonly expr: string;
  readonly legend: string;
}

const substituted = (text: string) =>
  text.replaceAll(/\$(__rate_interval|namespace|service)\b/g, (_, name: keyof typeof chosen) => chosen[name]);

interface Target {
  readonly datasource?: { readonly type?: string };
  readonly expr?: string;
  readonly legendFormat?: string;
  readonly queryType?: string;
  readonly service?: string;
}

const targets = Object.entries(dashboards).flatMap(([dashboard, { panels = [] }]) =>
  panels.flatMap((panel) =>
    'targets' in panel
      ? (panel.targets as Target[]).map((target) => ({ panel: `${dashboard}: ${panel.title}`, target }))
      : [],
  ),
);

const questions: readonly Question[] = targets.flatMap(({ panel, target: { expr, datasource, legendFormat = '' } }) =>
  expr === undefined || datasource?.type !== 'prometheus'
    ? []
    : [{ panel, expr: substituted(expr), legend: legendFormat }],
);

describe('after two minutes of load', () => {
  beforeAll(async () => {
    await startLoad(ratePerSecond);
    await sleep(loadMs);
  });
  afterAll(endLoad);

  it.each(questions.filter(({ panel }) => !emptyWhenWell.includes(panel)))(
    '$panel has numbers, and names for its lines: $expr',
    async ({ expr, legend }) => {
      const series = await waitFor(
        `numbers for ${expr}`,
        async () => {
          const found = await query(url('prometheus'), expr);
          // A service that nobody asked has no duration: its line has a gap, and that is right.
          return found.some(({ value }) => Number.isFinite(value)) && found;
        },
        { timeoutMs: 60_000, everyMs: 2_000 },
      );
      const labels = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
      // Where nothing has happened yet there is one line at 0, and it has no name.
      const nothingYet = series.every(({ metric, value }) => value === 0 && Object.keys(metric).length === 0);
      const unnamed = labels.filter((label) => !series.some(({ metric }) => metric[label] !== undefined));
      expect(nothingYet ? [] : unnamed).toEqual([]);
    },
  );

  it('every metric that a panel names is one that somebody gives', async () => {
    // A panel that shows 0 where there is nothing would show 0 for a wrong name too.
    const answer = await fetch(`${url('prometheus')}/api/v1/metadata`, { signal: AbortSignal.timeout(10_000) });
    const families = new Set(Object.keys(((await answer.json()) as { data: object }).data).map(familyOf));
    const named = questions.flatMap(({ expr }) => readPromql(expr, knownLabels).selectors.map(({ metric }) => metric));
    // What Prometheus makes itself has no metadata; that it is there, the panels show.
    const scraped = named.filter((name) => !name.includes(':') && name !== 'up' && name !== 'ALERTS');
    expect(new Set(scraped).size).toBeGreaterThan(50);
    expect([...new Set(scraped)].filter((name) => !families.has(familyOf(name)))).toEqual([]);
  });

  it('the traces of the service that is chosen are found', async () => {
    const [search] = targets.flatMap(({ target }) => (target.queryType === 'search' ? [target.service ?? ''] : []));
    const asked = `${url('jaeger')}/api/traces?service=${substituted(search ?? '')}&limit=20`;
    const { data } = (await (await fetch(asked, { signal: AbortSignal.timeout(10_000) })).json()) as {
      data: unknown[];
    };
    expect(data.length).toBeGreaterThan(0);
  });

  it.skipIf(cluster.urls().get('loki') === undefined)('the log of the service that is chosen is found', async () => {
    const [asked] = targets.flatMap(({ target }) => (target.datasource?.type === 'loki' ? [target.expr ?? ''] : []));
    const parameters = new URLSearchParams({ query: substituted(asked ?? ''), limit: '20' });
    const answer = await fetch(`${url('loki')}/loki/api/v1/query_range?${parameters.toString()}`, {
      signal: AbortSignal.timeout(10_000),
    });
    const { data } = (await answer.json()) as { data: { result: readonly { values: readonly unknown[] }[] } };
    expect(data.result.flatMap(({ values }) => values).length).toBeGreaterThan(0);
  });

  it('a dot on a line of durations is a request whose trace there is', async () => {
    const end = Date.now() / 1000;
    const parameters = new URLSearchParams({
      query: 'http_request_duration_seconds_bucket{job="microservices",service="order-service"}',
      start: `${end - 300}`,
      end: `${end}`,
    });
    await waitFor(
      'the trace of an exemplar',
      async () => {
        const answer = await fetch(`${url('prometheus')}/api/v1/query_exemplars?${parameters.toString()}`, {
          signal: AbortSignal.timeout(10_000),
        });
        const { data } = (await answer.json()) as {
          data: readonly { exemplars: readonly { labels: { trace_id?: string }; timestamp: number }[] }[];
        };
        // The newest: Jaeger keeps the latest traces only, and a bucket may not have been hit for long.
        const [newest] = data.flatMap(({ exemplars }) => exemplars).toSorted((a, b) => b.timestamp - a.timestamp);
        const id = newest?.labels.trace_id;
        if (id === undefined) throw new Error('there is no exemplar');
        const trace = await fetch(`${url('jaeger')}/api/traces/${id}`, { signal: AbortSignal.timeout(10_000) });
        return trace.ok;
      },
      { timeoutMs: 60_000, everyMs: 2_000 },
    );
  });

  it('the choices of the variables are those that are there', async () => {
    const path = '/api/v1/label/service/values?match[]=up{job="microservices",namespace="shop"}';
    const answer = (await (
      await fetch(`${url('prometheus')}${path}`, { signal: AbortSignal.timeout(10_000) })
    ).json()) as { data: string[] };
    expect(answer.data).toContain(chosen.service);
  });
});

/** Of a series, what Prometheus keeps the type of. */
function familyOf(series: string): string {
  return series.replace(/_(total|bucket|sum|count)$/, '');
}
