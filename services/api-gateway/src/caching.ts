import { createHash } from 'node:crypto';
import { timeForCall, UpstreamError, whileAnswering } from '@microservice-platform/common';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Answer, Asked, Asking } from './answer.ts';
import { type AnswerCache, answerCache, type Found } from './answer-cache.ts';
import { type Lifetime, lifetime, wishes } from './cache-words.ts';
import { incompleteHeader } from './composition.ts';
import { targetOf } from './matching.ts';
import { answerOf, type Outcome, outcomeOf } from './outcome.ts';
import type { Generation } from './routes/in-force.ts';
import type { Route } from './routes/schema.ts';
import { backendsOf } from './routes/table.ts';
import { sharedCalls } from './shared-calls.ts';

export interface Caching {
  /** What is kept for this request, or what asking gives. Those that ask for the same at the same time ask once. */
  readonly answer: (asked: Asked, ask: Asking) => Promise<Answer>;
  /** The last good answer to this request, fresh or not; undefined when there is none that may still be used. */
  readonly lastGood: (asked: Asked) => Answer | undefined;
}

/** What asking gave all those who waited for it. */
interface Given {
  readonly outcome: Outcome;
  /** Asking again from above is no use. */
  readonly gaveUp: boolean;
}

const room = { entries: 5_000, bytes: 16 * 1024 * 1024 };

/** No caller waits longer for an answer. */
const longestMs = 10_000;

/** Keeps answers of the routes that say so, for as long as both the route and the backend allow. */
export function caching(registry: Registry): Caching {
  const cache = answerCache(room);
  const oneOf = sharedCalls<Given>();
  const count = cacheMetrics(registry, cache);
  const forgetOthers = forgetOtherRoutes(cache);

  /** Under a deadline of its own: that of whoever came first is not that of the others. */
  const give = async (key: string, asked: Asked, ask: Asking): Promise<Given> => {
    const at = performance.now();
    const answering = { endsAt: at + longestMs, repeated: asked.request.answering.repeated, gaveUp: false };
    const outcome = await whileAnswering(answering, () => outcomeOf(() => ask(asked)));
    const life = lifetimeOf(asked.route, outcome);
    if (life !== undefined && outcome.status === 'fulfilled') {
      cache.keep(key, {
        answer: outcome.value,
        lifetime: life,
        at,
        route: identityOf(asked),
        target: targetOf(asked.request),
      });
    }
    return { outcome, gaveUp: answering.gaveUp };
  };
  const asOne = async (asked: Asked, ask: Asking): Promise<Answer> => {
    const key = keyOf(asked);
    const waiting = patience(asked.signal);
    try {
      const { value, joined } = await oneOf(key, waiting.signal, (signal) => give(key, { ...asked, signal }, ask));
      count(asked, joined ? 'joined' : 'miss');
      if (value.gaveUp) asked.request.answering.gaveUp = true;
      return answerOf(value.outcome);
    } finally {
      waiting.end();
    }
  };
  const changed = async (asked: Asked, ask: Asking): Promise<Answer> => {
    const answer = await ask(asked);
    const target = targetOf(asked.request);
    if (answer.status < 400) cache.forget((kept) => kept.target === target);
    return answer;
  };

  return {
    answer: async (asked, ask) => {
      const { route, request } = asked;
      forgetOthers(asked.generation);
      if (!['GET', 'HEAD'].includes(request.method)) return changed(asked, ask);
      if (route.cache === undefined || request.method === 'HEAD') return ask(asked);
      const { store, maxAge } = wishes(request.headers['cache-control']);
      const found = cache.find(keyOf(asked));
      if (found?.fresh && found.age < maxAge) {
        count(asked, 'hit');
        return aged(found);
      }
      if (store) return asOne(asked, ask);
      count(asked, 'bypassed');
      return ask(asked);
    },
    lastGood: (asked) => {
      const found = cache.find(keyOf(asked));
      return found === undefined ? undefined : aged(found);
    },
  };
}

/** How long a caller waits: until it leaves, or there is just enough time left to tell it that there is no answer. */
function patience(signal: AbortSignal): { readonly signal: AbortSignal; readonly end: () => void } {
  const out = new AbortController();
  const late = () => out.abort(new UpstreamError('upstream_timeout', 'no answer in time'));
  const timer = setTimeout(late, Math.max(0, timeForCall(longestMs)));
  return { signal: AbortSignal.any([signal, out.signal]), end: () => clearTimeout(timer) };
}

function aged({ answer, age }: Found): Answer {
  return { ...answer, headers: { ...answer.headers, age: String(age) } };
}

function lifetimeOf({ cache }: Route, outcome: Outcome): Lifetime | undefined {
  if (cache === undefined || outcome.status === 'rejected') return undefined;
  const { status, headers } = outcome.value;
  if (status !== 200 || headers.vary?.includes('*') || headers[incompleteHeader] !== undefined) return undefined;
  return lifetime(headers['cache-control'], cache);
}

/** All that an answer may depend on: the route as it is, what is asked for, and what backends are told of the caller. */
function keyOf(asked: Asked): string {
  const { route, request } = asked;
  const caller = route.cache?.shared === true ? undefined : request.caller;
  const who = caller === undefined ? [] : [caller.subject, ...[...caller.scopes].sort()];
  return JSON.stringify([identityOf(asked), targetOf(request), request.headers.accept ?? '', ...who]);
}

const identities = new WeakMap<Route, string>();

/** The same for a route that is as it was, with backends and issuer as they were. */
function identityOf({ route, generation }: Pick<Asked, 'route' | 'generation'>): string {
  const known = identities.get(route);
  if (known !== undefined) return known;
  const { backends, grpcBackends, tokens } = generation.table;
  const asked = [...backendsOf(route).map((name) => backends[name]), route.grpc && grpcBackends[route.grpc.backend]];
  const content = JSON.stringify([route, asked, tokens]);
  const identity = createHash('sha256').update(content).digest('base64url').slice(0, 22);
  identities.set(route, identity);
  return identity;
}

/** Forgets, once for each generation, the answers of routes that it does not have as they were. */
function forgetOtherRoutes(cache: AnswerCache): (generation: Generation) => void {
  let newest = 0;
  return (generation) => {
    if (generation.number <= newest) return;
    newest = generation.number;
    const there = new Set(generation.table.routes.map((route) => identityOf({ route, generation })));
    cache.forget(({ route }) => !there.has(route));
  };
}

function cacheMetrics(registry: Registry, cache: AnswerCache) {
  const answers = new Counter({
    name: 'gateway_cache_answers_total',
    help: 'Answers of routes with a cache, by what they came from: hit, miss, joined (another request asked for it) or bypassed.',
    labelNames: ['route', 'outcome'],
    registers: [registry],
  });
  new Gauge({
    name: 'gateway_cache_entries',
    help: 'Answers that are kept.',
    registers: [registry],
    collect() {
      this.set(cache.size().entries);
    },
  });
  new Gauge({
    name: 'gateway_cache_bytes',
    help: 'Room that the answers take that are kept.',
    registers: [registry],
    collect() {
      this.set(cache.size().bytes);
    },
  });
  return ({ template }: Asked, outcome: 'hit' | 'miss' | 'joined' | 'bypassed') =>
    answers.inc({ route: template, outcome });
}
