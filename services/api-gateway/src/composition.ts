import { UpstreamError } from '@microservice-platform/common';
import type { Answer, Asked } from './answer.ts';
import { strictest } from './cache-words.ts';
import { askBackend } from './forward.ts';
import { partPath, partsNeeded } from './part-path.ts';
import type { Part } from './routes/schema.ts';

/** On an answer that lacks some of its optional parts: their names. */
export const incompleteHeader = 'x-incomplete';

/** What a part was answered with: as it came, and what it says. Undefined when it failed and is optional. */
type Given = { readonly answer: Answer; readonly content: unknown } | undefined;

/** All parts together. */
const maxBytes = 1024 * 1024;

/** A required part was answered with an error: that is the answer to the whole. */
class PartRefused extends Error {
  override readonly name = 'PartRefused';
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`answered ${answer.status}`);
    this.answer = answer;
  }
}

/**
 * One answer of several: those that need nothing of each other are asked for at the same time, under one deadline. The
 * first required part that fails decides the answer, and the others are given up.
 *
 * @throws UpstreamError when a required part has no answer, or one that cannot be used
 */
export async function compose(asked: Asked): Promise<Answer> {
  const giveUp = new AbortController();
  const signal = AbortSignal.any([asked.signal, giveUp.signal]);
  try {
    return composed(await allParts({ ...asked, signal }));
  } catch (error) {
    giveUp.abort(new Error('another part failed'));
    if (error instanceof PartRefused) return error.answer;
    throw error;
  }
}

async function allParts(asked: Asked): Promise<ReadonlyMap<string, Given>> {
  const endsAt = performance.now() + (asked.route.timeoutMs ?? Number.POSITIVE_INFINITY);
  const under = new Map<string, Promise<Given>>();
  for (const [name, part] of Object.entries(asked.route.compose?.parts ?? {})) {
    under.set(name, partOf(asked, part, { under, endsAt }));
  }
  const entries = [...under].map(async ([name, given]) => [name, await given] as const);
  return new Map(await Promise.all(entries));
}

interface UnderWay {
  /** The parts before this one. */
  readonly under: ReadonlyMap<string, Promise<Given>>;
  readonly endsAt: number;
}

async function partOf(asked: Asked, part: Part, underWay: UnderWay): Promise<Given> {
  try {
    return await askedFor(asked, part, underWay);
  } catch (error) {
    if (part.optional !== true || asked.signal.aborted) throw error;
    asked.request.log.warn({ err: error, backend: part.backend }, 'optional part left out');
    return undefined;
  }
}

async function askedFor(asked: Asked, { backend, path }: Part, { under, endsAt }: UnderWay): Promise<Given> {
  const needed = partsNeeded(path).map(async (name) => [name, (await under.get(name))?.content] as const);
  const parts = Object.fromEntries(await Promise.all(needed));
  const left = endsAt - performance.now();
  const answer = await askBackend(asked, {
    backend,
    method: 'GET',
    path: pathFor(path, { params: asked.params, parts }),
    accept: 'application/json',
    ...(left === Number.POSITIVE_INFINITY ? {} : { timeoutMs: Math.max(1, left) }),
  });
  if (answer.status >= 400) throw new PartRefused(answer);
  return { answer, content: contentOf(answer, backend) };
}

function pathFor(...[path, values]: Parameters<typeof partPath>): string {
  try {
    return partPath(path, values);
  } catch (error) {
    throw new UpstreamError('upstream_error', `${path} cannot be asked for: ${String(error)}`, { cause: error });
  }
}

function contentOf({ body }: Answer, backend: string): unknown {
  try {
    return JSON.parse(String(body));
  } catch (error) {
    throw new UpstreamError('upstream_error', `${backend} answered something that is not JSON`, { cause: error });
  }
}

/** The parts as they came, byte for byte, each under its name. */
function composed(parts: ReadonlyMap<string, Given>): Answer {
  const given = [...parts];
  const fields = given.map(([name, it]) => `"${name}":${it === undefined ? 'null' : String(it.answer.body)}`);
  const body = `{${fields.join(',')}}`;
  if (Buffer.byteLength(body) > maxBytes) {
    throw new UpstreamError('upstream_error', `the parts together have more than ${maxBytes} bytes`);
  }
  const lacking = given.filter(([, it]) => it === undefined).map(([name]) => name);
  const caching = strictest(given.map(([, it]) => it?.answer.headers['cache-control']));
  return {
    status: 200,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      ...(caching === undefined ? {} : { 'cache-control': caching }),
      ...(lacking.length === 0 ? {} : { [incompleteHeader]: lacking.join(', ') }),
    },
    body,
  };
}
