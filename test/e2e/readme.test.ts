import { expect, it } from 'vitest';
import { repository } from '../../cluster/paths.ts';
import { run } from '../../cluster/run.ts';
import { cli, cluster, list } from '../support/cluster.ts';
import { documentAt, scriptOf } from '../support/documents.ts';
import { eventually } from '../support/eventually.ts';

it('does what README.md promises to a reader who types along', async () => {
  const said = await run('bash', ['-euo', 'pipefail', '-c', scriptOf(documentAt('README.md'))], {
    cwd: repository,
    // The commands are run as they stand; make takes the name of this cluster from its own variable.
    env: { ...process.env, MAKEFLAGS: `NAME=${cluster.name}` },
    timeoutMs: 180_000,
  });
  expect(said).toContain('microservice.microservice-platform.io/hello condition met');
  expect(said).toContain('"status":"created"');
}, 200_000);

interface Versioned {
  readonly metadata: { readonly name: string; readonly uid: string; readonly generation?: number };
}

it('changes nothing when make up is run again', async () => {
  const everything = async () => {
    const kinds = 'microservices,deployments,statefulsets,services,configmaps,secrets,pods,horizontalpodautoscalers';
    const objects = [
      ...(await list<Versioned>(kinds, 'shop')),
      ...(await list<Versioned>(kinds.replace('microservices,', ''), 'microservice-platform')),
    ];
    return (
      objects
        .map(({ metadata: { name, uid, generation } }) => ({ name, uid, generation }))
        // Its autoscaler may change the number of its pods at any time.
        .filter(({ name }) => !name.startsWith('product-service'))
    );
  };
  const before = await everything();
  const started = performance.now();
  const said = await run(process.execPath, [`${repository}/cluster/main.ts`, 'up', cluster.name], {
    timeoutMs: 120_000,
  });
  const seconds = (performance.now() - started) / 1000;
  console.log(`make up again took ${seconds.toFixed(1)} s`);
  expect(said).toMatch(/order .* was answered 201/);
  expect(await everything()).toEqual(before);
  expect(seconds).toBeLessThan(30);
});

it('shows the CPU of its pods to the autoscaler and to kubectl top', async () => {
  // Of pods that have just begun nothing is known for a while.
  await eventually(
    async () => {
      const [autoscaler] = await list<{ status: { currentMetrics?: unknown[] } }>('horizontalpodautoscalers', 'shop');
      expect(JSON.stringify(autoscaler?.status.currentMetrics)).toMatch(/"averageUtilization":\d+/);
    },
    { withinMs: 90_000, everyMs: 1_000 },
  );
  expect(await cli.run(['top', 'pods', '-n', 'shop', '--no-headers'])).toMatch(/product-service-\S+\s+\d+m\s+\d+Mi/);
});
