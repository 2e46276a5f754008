import { afterEach, describe, expect, it } from 'vitest';
import { repository } from '../../cluster/paths.ts';
import { run } from '../../cluster/run.ts';
import { waitFor } from '../../cluster/wait-for.ts';
import { runbooks } from '../../dashboards/alerts/alert.ts';
import { groups } from '../../dashboards/alerts/files.ts';
import { platformNamespace } from '../../manifests/install.ts';
import { cli, cluster, read, url } from '../support/cluster.ts';
import { documentAt, scriptOf } from '../support/documents.ts';

interface Rule {
  readonly name: string;
  readonly health: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: 'inactive' | 'pending' | 'firing';
  readonly alerts: readonly { readonly activeAt: string; readonly annotations: Readonly<Record<string, string>> }[];
}

/** The alerts as the Prometheus of the cluster has them now. */
async function rules(): Promise<readonly Rule[]> {
  const answer = await fetch(`${url('prometheus')}/api/v1/rules?type=alert`, { signal: AbortSignal.timeout(10_000) });
  const { data } = (await answer.json()) as { data: { groups: readonly { rules: readonly Rule[] }[] } };
  return data.groups.flatMap((group) => group.rules);
}

/** Those in one of these states, of which somebody is told. What other tests did to the budgets of the shop lasts for days. */
async function toldOf(...states: readonly Rule['state'][]): Promise<string[]> {
  return (await rules())
    .filter(({ state, labels }) => states.includes(state) && labels.severity !== 'none')
    .filter(({ labels }) => labels.component !== 'slo' && labels.component !== 'budget')
    .map(({ name }) => name);
}

/** Waits until an alert is in that state. */
function reached(name: string, state: Rule['state'], timeoutMs: number): Promise<Rule> {
  return waitFor(
    `${name} to be ${state}`,
    async () => {
      const found = (await rules()).find((rule) => rule.name === name);
      if (found?.state !== state) throw new Error(`it is ${found?.state}`);
      return found;
    },
    { timeoutMs, everyMs: 1000 },
  );
}

const scaleOperator = (replicas: number) =>
  cli.run(['scale', 'deployment/operator', '-n', platformNamespace, `--replicas=${replicas}`]);

describe('the alerts of the chart', () => {
  it('are all known to Prometheus, which finds no fault in them, and none fires at rest', async () => {
    const known = await waitFor(
      'every alert to be looked at without a fault',
      async () => {
        const found = await rules();
        const others = found.filter(({ health }) => health !== 'ok');
        if (others.length > 0) throw new Error(JSON.stringify(others));
        return found;
      },
      { timeoutMs: 60_000, everyMs: 1000 },
    );
    // In the order of the files, which is that of the alphabet.
    expect(known.map(({ name }) => name)).toEqual(
      groups.toSorted((a, b) => (a.name < b.name ? -1 : 1)).flatMap(({ alerts }) => alerts.map(({ name }) => name)),
    );
    await waitFor(
      'what other tests did to be over, and no alert to fire',
      async () => {
        const names = await toldOf('firing');
        if (names.length > 0) throw new Error(names.join(', '));
        return true;
      },
      { timeoutMs: 900_000, everyMs: 5_000 },
    );
  }, 960_000);

  it('have runbooks whose commands work as they stand', async () => {
    const said = await run('bash', ['-euo', 'pipefail', '-c', scriptOf(documentAt(runbooks))], {
      cwd: repository,
      // The commands are run as they stand; make takes the name of this cluster from its own variable.
      env: { ...process.env, MAKEFLAGS: `NAME=${cluster.name}` },
      timeoutMs: 180_000,
    });
    expect(said).toContain('holderIdentity');
  }, 200_000);
});

describe('without an operator', () => {
  let replicas = 1;

  afterEach(async () => {
    await scaleOperator(replicas);
    await cli.run(['rollout', 'status', 'deployment/operator', '-n', platformNamespace, '--timeout=120s'], 130_000);
  });

  it('Prometheus tells after three minutes that nobody leads, and nothing else, until one leads again', async () => {
    const { spec } = await read<{ spec: { replicas: number } }>('deployment', platformNamespace, 'operator');
    replicas = spec.replicas;
    const before = await toldOf('pending', 'firing');
    const news = async () => (await toldOf('firing')).filter((name) => !before.includes(name));
    await scaleOperator(0);
    const pending = await reached('OperatorNobodyLeads', 'pending', 90_000);
    const since = Date.parse(pending.alerts[0]?.activeAt ?? '');
    const { alerts } = await reached('OperatorNobodyLeads', 'firing', 240_000);
    const waited = (Date.now() - since) / 1000;
    expect(alerts[0]?.annotations.runbook_url).toMatch(/#operatornobodyleads$/);
    expect(await news()).toEqual(['OperatorNobodyLeads']);

    const back = performance.now();
    await scaleOperator(replicas);
    await reached('OperatorNobodyLeads', 'inactive', 120_000);
    const over = (performance.now() - back) / 1000;
    console.log(
      `nobody leads: told ${waited.toFixed(0)} s after it was seen, over ${over.toFixed(0)} s after the scaling`,
    );
    expect(waited).toBeGreaterThanOrEqual(180);
    expect(await news()).toEqual([]);
  }, 500_000);
});
