import { afterEach, describe, expect, it } from 'vitest';
import { run } from '../../cluster/run.ts';
import { tool } from '../../cluster/toolchain.ts';
import { waitFor } from '../../cluster/wait-for.ts';
import { platformNamespace } from '../../manifests/install.ts';
import { cli, cluster, list } from '../support/cluster.ts';

/** What `helm test` prints of the release that runs here, on both streams, and whether it passes. */
async function helmTest(): Promise<{ passed: boolean; output: string }> {
  const lines: string[] = [];
  const args = ['test', 'microservice-platform', '-n', platformNamespace, '--kubeconfig', cluster.kubeconfig];
  const passed = await run(tool('helm'), args, { timeoutMs: 300_000, onLine: (line) => lines.push(line) }).then(
    () => true,
    () => false,
  );
  return { passed, output: lines.join('\n') };
}

/** Names of what the test makes and is there now. */
async function leftovers(): Promise<string[]> {
  const kinds = ['microservices', 'deployments', 'pods', 'services', 'configmaps', 'serviceaccounts', 'roles'];
  const objects = await Promise.all(kinds.map((kind) => list<{ metadata: { name: string } }>(kind, platformNamespace)));
  return objects.flat().flatMap(({ metadata: { name } }) => (/^platform-(test|check)/.test(name) ? [name] : []));
}

const gone = () =>
  waitFor('everything of the test to be gone', async () => (await leftovers()).length === 0, {
    timeoutMs: 60_000,
    everyMs: 500,
  });

const scaleJaeger = (replicas: number) =>
  cli.run(['scale', 'deployment/jaeger', '-n', platformNamespace, `--replicas=${replicas}`]);

describe('helm test', () => {
  afterEach(async () => {
    await scaleJaeger(1);
    await cli.run(['rollout', 'status', 'deployment/jaeger', '-n', platformNamespace, '--timeout=60s']);
  });

  it('sees a Microservice become Ready, its trace and its target, and leaves nothing', async () => {
    const { passed, output } = await helmTest();
    expect(output).toMatch(/becomes Ready.*answers at its Service.*trace is in Jaeger.*target is up in Prometheus/s);
    expect(passed).toBe(true);
    await gone();
  });

  it('says what is not as it should be and where to look, and leaves nothing', async () => {
    await scaleJaeger(0);
    const { passed, output } = await helmTest();
    expect(passed).toBe(false);
    const line = /answers at its Service.*FAILED.*trace is in Jaeger.*jaeger\S* does not answer.*Look at: kubectl/s;
    expect(output).toMatch(line);
    await gone();
  });
});
