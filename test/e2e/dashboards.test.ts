import { beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../cluster/eventually.ts';
import { dashboards } from '../../dashboards/files.ts';
import { addCustomer, placeOrder, query } from '../../manifests/proof.ts';
import { url } from '../support/cluster.ts';

// Grafana itself is not here: its questions are put to the real Prometheus and the real Jaeger, with what a reader would
// have chosen in the place of its variables.
const chosen = { __rate_interval: '1m', namespace: 'shop', service: 'order-service' } as const;
const loadMs = 15_000;

interface Question {
  readonly dashboard: string;
  readonly panel: string;
  readonly expr: string;
}

const substituted = (text: string) =>
  text.replaceAll(/\$(__rate_interval|namespace|service)\b/g, (_, name: keyof typeof chosen) => chosen[name]);

interface Target {
  readonly expr?: string;
  readonly queryType?: string;
  readonly service?: string;
}

const targets = Object.entries(dashboards).flatMap(([dashboard, { panels = [] }]) =>
  panels.flatMap((panel) =>
    'targets' in panel
      ? (panel.targets as Target[]).map((target) => ({ dashboard, panel: panel.title ?? '', target }))
      : [],
  ),
);

const questions: readonly Question[] = targets.flatMap(({ dashboard, panel, target: { expr } }) =>
  expr === undefined ? [] : [{ dashboard, panel, expr: substituted(expr) }],
);

describe('after some orders', () => {
  beforeAll(async () => {
    const until = performance.now() + loadMs;
    const customer = await addCustomer(url('api-gateway'));
    while (performance.now() < until) await placeOrder(url('api-gateway'), customer);
  });

  it.each(questions)('$dashboard: $panel has numbers: $expr', async ({ expr }) => {
    const series = await eventually(
      `numbers for ${expr}`,
      async () => {
        const found = await query(url('prometheus'), expr);
        // A service that nobody asked has no duration: its line has a gap, and that is right.
        return found.some(({ value }) => Number.isFinite(value)) && found;
      },
      { timeoutMs: 30_000, everyMs: 1000 },
    );
    expect(series.length).toBeGreaterThan(0);
  });

  it('every metric that a panel names is one that somebody gives', async () => {
    // A panel that shows 0 where there is nothing would show 0 for a wrong name too.
    const answer = await fetch(`${url('prometheus')}/api/v1/metadata`, { signal: AbortSignal.timeout(10_000) });
    const known = new Set(Object.keys(((await answer.json()) as { data: object }).data));
    const named = questions.flatMap(({ expr }) => [...expr.matchAll(/\b([a-z0-9_]+)\{/g)].map(([, name = '']) => name));
    const unknown = named.filter((name) => !known.has(name) && !known.has(name.replace(/_(bucket|sum|count)$/, '')));
    expect(unknown.filter((name) => name !== 'up')).toEqual([]);
    expect(new Set(named).size).toBeGreaterThan(10);
  });

  it('the traces of the service that is chosen are found', async () => {
    const [search] = targets.flatMap(({ target }) => (target.queryType === 'search' ? [target.service ?? ''] : []));
    const asked = `${url('jaeger')}/api/traces?service=${substituted(search ?? '')}&limit=20`;
    const { data } = (await (await fetch(asked, { signal: AbortSignal.timeout(10_000) })).json()) as {
      data: unknown[];
    };
    expect(data.length).toBeGreaterThan(0);
  });

  it('the choices of the variables are those that are there', async () => {
    const path = '/api/v1/label/service/values?match[]=up{job="microservices",namespace="shop"}';
    const answer = (await (
      await fetch(`${url('prometheus')}${path}`, { signal: AbortSignal.timeout(10_000) })
    ).json()) as { data: string[] };
    expect(answer.data).toContain(chosen.service);
  });
});
