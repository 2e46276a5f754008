import { Readable } from 'node:stream';
import { injectContext, Problem, SpanKind, UpstreamError, withSpan } from '@microservice-platform/common';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { Gauge, type Registry } from 'prom-client';
import { Agent, type Dispatcher } from 'undici';
import type { Asked } from './answer.ts';
import { isProblem } from './forward.ts';
import { answerHeaders, requestHeaders } from './headers.ts';
import { targetOf } from './matching.ts';
import type { StreamRoute } from './routes/schema.ts';

export interface Streams {
  /**
   * Passes on what a backend answers as it comes, no faster than the caller takes it, until one of them ends it. A
   * caller is cut off where the backend was; both ends are ended in order when the gateway stops, or the time is over.
   *
   * @throws Problem `unavailable` when too many are open; UpstreamError when the backend does not begin to answer
   */
  readonly pass: (asked: Asked, reply: FastifyReply) => Promise<FastifyReply>;
  readonly close: () => Promise<void>;
}

const standard = { maxStreams: 500, idleMs: 60_000, longestMs: 600_000 };
const beginMs = 5_000;

/** Answers that have no end of their own. They have connections of their own: they would use up those of other calls. */
export function streams({ metrics, readiness }: Pick<FastifyInstance, 'metrics' | 'readiness'>): Streams {
  const open = new Map<string, number>();
  const agent = new Agent({ connect: { timeout: 2_000 }, headersTimeout: beginMs, maxResponseSize: -1 });
  countOpen(metrics.registry, open);

  const enter = (template: string, max: number, reply: FastifyReply) => {
    const now = open.get(template) ?? 0;
    if (now >= max) throw new Problem('unavailable', `${max} streams are open here already; try again later`);
    open.set(template, now + 1);
    reply.raw.once('close', () => open.set(template, (open.get(template) ?? 1) - 1));
  };

  return {
    pass: async (asked, reply) => {
      const { backend, maxStreams, idleMs, longestMs } = { ...standard, ...(asked.route.stream as StreamRoute) };
      enter(asked.template, maxStreams, reply);
      const origin = asked.generation.table.backends[backend]?.url ?? '';
      const ended = AbortSignal.any([asked.signal, readiness.stopping]);
      const answer = await begun(agent, asked, { origin, idleMs, ended });
      asked.request.mayTake(longestMs);
      return reply
        .code(answer.statusCode)
        .headers(answerHeaders(answer.headers))
        .send(Readable.from(passedOn(answer.body, ended), { objectMode: false }));
    },
    close: () => agent.destroy(),
  };
}

/** The head of the backend's answer; its body is still to come. */
function begun(
  agent: Agent,
  { request }: Asked,
  { origin, idleMs, ended }: { readonly origin: string; readonly idleMs: number; readonly ended: AbortSignal },
): Promise<Dispatcher.ResponseData> {
  const path = targetOf(request);
  const headers = {
    ...requestHeaders(request.headers, request.id, request.caller),
    ...lastEventId(request.headers['last-event-id']),
  };
  return withSpan(
    request.method,
    {
      kind: SpanKind.CLIENT,
      attributes: {
        'http.request.method': request.method,
        'url.full': `${origin}${path.split('?', 1)[0]}`,
        'server.address': new URL(origin).hostname,
      },
    },
    async () => {
      injectContext(headers);
      const method = request.method as Dispatcher.HttpMethod;
      const answer = await agent
        .request({ origin, path, method, headers, signal: ended, bodyTimeout: idleMs })
        .catch(unbegun);
      if (answer.statusCode < 500 || isProblem(answer)) return answer;
      await answer.body.dump();
      throw new UpstreamError('upstream_error', `${request.method} ${path} answered ${answer.statusCode}`);
    },
  );
}

function unbegun(error: unknown): never {
  const late = error instanceof Error && /Timeout/.test(error.name);
  throw new UpstreamError(late ? 'upstream_timeout' : 'upstream_error', `no stream: ${String(error)}`, {
    cause: error,
  });
}

/** What comes, until it ends. An end that was asked for is one in order; one that was not, breaks the stream. */
async function* passedOn(body: AsyncIterable<Uint8Array>, ended: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* body;
  } catch (error) {
    if (!ended.aborted) throw error;
  }
}

/** Where a caller of server-sent events goes on. */
function lastEventId(given: string | string[] | undefined): Record<string, string> {
  return typeof given === 'string' ? { 'last-event-id': given } : {};
}

function countOpen(registry: Registry, open: ReadonlyMap<string, number>): void {
  new Gauge({
    name: 'gateway_open_streams',
    help: 'Streams that are passed on now, by route template.',
    labelNames: ['endpoint'],
    registers: [registry],
    collect() {
      for (const [endpoint, count] of open) this.set({ endpoint }, count);
    },
  });
}
