import { partsNeeded, sourcesOf } from '../part-path.ts';
import type { Part, Route, RouteFile } from './schema.ts';

/** What is wrong with how a route says that it is answered, beyond what each field can tell by itself. */
export function answerFaults(route: Route, file: RouteFile): readonly string[] {
  return [
    ...readingFaults(route),
    ...Object.entries(route.compose?.parts ?? {}).flatMap(([name, part]) =>
      partFaults(route, name, part).map((fault) => `has the part ${name}, ${fault}`),
    ),
    ...Object.keys(route.shapes ?? {})
      .filter((name) => file.profiles?.includes(name) !== true)
      .map((name) => `has a shape for ${name}, which is not among the profiles`),
  ];
}

/** These stand for asking, so that asking must change nothing. */
const reading = ['compose', 'cache', 'mask', 'shapes'] as const;
/** These need the whole answer. */
const whole = ['cache', 'mask', 'shapes'] as const;
/** These need somebody who is asked. */
const asking = ['cache', 'mask', 'timeoutMs', 'retries'] as const;

function readingFaults(route: Route): readonly string[] {
  const { methods, answer, mask, cache, stream } = route;
  const has = (fields: readonly (keyof Route)[]) => fields.filter((field) => route[field] !== undefined);
  const onlyGet = methods.length === 1 && methods[0] === 'GET';
  const faults: string[] = [];
  for (const field of onlyGet ? [] : has(reading)) faults.push(`has ${field}, which is for GET alone`);
  for (const field of stream === undefined ? [] : has(whole)) faults.push(`has ${field}, which a stream cannot have`);
  for (const field of answer === undefined ? [] : has(asking)) faults.push(`has ${field}, but asks nobody`);
  if (mask?.cached === true && cache?.staleIfErrorSeconds === undefined) {
    faults.push('has mask.cached, which needs cache.staleIfErrorSeconds');
  }
  return faults;
}

function partFaults(route: Route, name: string, part: Part): readonly string[] {
  const parts = Object.entries(route.compose?.parts ?? {});
  const before = parts.slice(
    0,
    parts.findIndex(([it]) => it === name),
  );
  const names = new Set(route.path.match(/(?<=:)\w+/g) ?? []);
  const faults: string[] = [];
  for (const source of sourcesOf(part.path)) {
    if ('param' in source && !names.has(source.param))
      faults.push(`whose path has :${source.param}, which the route has not`);
  }
  for (const needed of partsNeeded(part.path)) {
    const found = before.find(([it]) => it === needed)?.[1];
    if (found === undefined) faults.push(`which needs ${needed}, but no such part is before it`);
    else if (found.optional === true && part.optional !== true)
      faults.push(`which is not optional, but needs ${needed}, which is`);
  }
  return faults;
}
