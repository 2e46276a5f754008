import { withDeadline } from '@microservice-platform/common';
import { parse } from 'yaml';
import { type ContractFiles, contractPath, filesNamedIn, type Json, mergedContract } from './contract-merge.ts';
import type { Generation, RoutesInForce } from './routes/in-force.ts';

const askMs = 3_000;
/** Services change their contracts when they are deployed. Soon again, where one of them did not answer. */
const freshMs = { whole: 300_000, incomplete: 5_000 };
const maxFiles = 5;

interface Kept {
  readonly generation: number;
  readonly document: Promise<Json>;
  until: number;
}

/**
 * The contract of the whole, made of the backends' own: what the routes in force lead to. It is kept until the routes
 * change. Of a backend that does not answer it has what was last known; where nothing was, `x-incomplete` names it.
 */
export function wholeContract(routes: RoutesInForce, now: () => number = Date.now): () => Promise<Json> {
  const known = new Map<string, ContractFiles>();
  let kept: Kept | undefined;

  const made = async (generation: Generation): Promise<{ readonly document: Json; readonly whole: boolean }> => {
    const { table } = generation;
    const names = [...new Set(table.routes.flatMap(({ backend, stream }) => backend ?? stream?.backend ?? []))].sort();
    for (const name of known.keys()) if (!names.includes(name)) known.delete(name);
    const asked = await Promise.allSettled(
      names.map(async (name) => known.set(name, await contractOf(generation, name))),
    );
    const missing = names.filter((name) => !known.has(name));
    const parts = new Map([...known].sort(([a], [b]) => (a < b ? -1 : 1)));
    const document = mergedContract(table.routes, parts);
    const whole = asked.every(({ status }) => status === 'fulfilled');
    return { document: missing.length === 0 ? document : { ...document, 'x-incomplete': missing }, whole };
  };
  const make = (): Kept => {
    const { generation, leave } = routes.enter();
    const making = withDeadline(askMs, () => made(generation)).finally(leave);
    const it: Kept = {
      generation: generation.number,
      document: making.then(({ document }) => document),
      until: Number.POSITIVE_INFINITY,
    };
    void making.then(
      ({ whole }) => {
        it.until = now() + (whole ? freshMs.whole : freshMs.incomplete);
      },
      () => {
        it.until = 0;
      },
    );
    return it;
  };
  return () => {
    if (kept === undefined || kept.generation !== routes.current().number || now() > kept.until) kept = make();
    return kept.document;
  };
}

/** The contract that a backend serves, with the files that it refers to. @throws when it serves none that can be read */
async function contractOf(generation: Generation, backend: string): Promise<ContractFiles> {
  const files: Record<string, Json> = {};
  const wanted = [contractPath];
  for (let path = wanted.shift(); path !== undefined; path = wanted.shift()) {
    if (Object.hasOwn(files, path) || Object.keys(files).length === maxFiles) continue;
    const { status, body } = await generation.client(backend).send('GET', path);
    if (status !== 200) throw new Error(`${backend} answered ${status} for ${path}`);
    const document = parse(body.toString('utf8'), { maxAliasCount: 100 }) as Json;
    files[path] = document;
    wanted.push(...filesNamedIn(document, path));
  }
  return files;
}
