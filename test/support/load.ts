import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { repository } from '../../cluster/paths.ts';
import { waitFor } from '../../cluster/wait-for.ts';
import { cli, conditionOf, type MicroserviceObject, read } from './cluster.ts';

interface Manifest {
  readonly spec: { readonly env: readonly { readonly name: string; value?: string }[] };
}

/** Starts the load generator of manifests/loadgen.yaml, and comes back when it sends so many requests a second. */
export async function startLoad(rate: number): Promise<void> {
  const manifest: Manifest = parse(readFileSync(join(repository, 'manifests/loadgen.yaml'), 'utf8'));
  for (const variable of manifest.spec.env) if (variable.name === 'RATE') variable.value = String(rate);
  await cli.apply(JSON.stringify(manifest));
  await waitFor(
    'the load generator to be Ready',
    async () => {
      const object = await read<MicroserviceObject>('microservice', 'shop', 'loadgen');
      const seen = object.status?.observedGeneration === object.metadata.generation;
      return seen && conditionOf(object, 'Ready')?.status === 'True';
    },
    { timeoutMs: 300_000, everyMs: 2_000 },
  );
}

export async function endLoad(): Promise<void> {
  await cli.run(['delete', 'microservice', 'loadgen', '-n', 'shop', '--ignore-not-found']);
}
