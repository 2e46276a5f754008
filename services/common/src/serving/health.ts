import type { FastifyInstance } from 'fastify';
import { within } from './timeouts.ts';

declare module 'fastify' {
  interface FastifyInstance {
    readonly readiness: Readiness;
  }
}

/** Rejects, with a message for the operator of the service, while the dependency cannot be used. */
export type Check = () => Promise<void>;

export interface Readiness {
  readonly draining: boolean;
  /** Aborted with the beginning of the drain: what has no end of its own ends then. */
  readonly stopping: AbortSignal;
  /** From now on the service says that it is not ready, for good: it is about to stop. */
  readonly drain: () => void;
  /** Why the service is not ready, or undefined when it is. */
  readonly reason: () => Promise<string | undefined>;
  /** From now on `/readyz` says this of `subject`, ready or not; undefined takes it back. */
  readonly note: (subject: string, text: string | undefined) => void;
  readonly notes: () => Readonly<Record<string, string>>;
}

/** Whether a service can do its work: all checks run at once, each bounded by `checkMs`. */
export function readiness(checks: Readonly<Record<string, Check>>, checkMs: number): Readiness {
  const stopping = new AbortController();
  const notes = new Map<string, string>();
  const shared = Object.entries(checks).map(([name, check]) => oneAtATime(() => failure(name, check, checkMs)));
  return {
    get draining() {
      return stopping.signal.aborted;
    },
    stopping: stopping.signal,
    drain: () => stopping.abort(new Error('the service stops')),
    reason: async () => {
      if (stopping.signal.aborted) return 'shutting down';
      const failures = await Promise.all(shared.map((check) => check()));
      return failures.filter((it) => it !== undefined).join('; ') || undefined;
    },
    note: (subject, text) => {
      if (text === undefined) notes.delete(subject);
      else notes.set(subject, text);
    },
    notes: () => Object.fromEntries(notes),
  };
}

async function failure(name: string, check: Check, checkMs: number): Promise<string | undefined> {
  try {
    await within(checkMs, name, check());
    return undefined;
  } catch (error) {
    const text = error instanceof Error ? error.message || error.name : String(error);
    const line = (text.split('\n')[0] ?? '').slice(0, 200);
    return line.startsWith(name) ? line : `${name}: ${line}`;
  }
}

/** Many probes at once cost the dependency one check: whoever asks meanwhile shares the answer. */
function oneAtATime<T>(run: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => {
    running ??= run().finally(() => {
      running = undefined;
    });
    return running;
  };
}

/** `/healthz`: the process lives. `/readyz`: it can do its work; 503 with the reason while it cannot. */
export function healthRoutes(app: FastifyInstance, version: string): void {
  const healthy = () => ({ status: 'healthy', timestamp: new Date().toISOString(), version });
  app.get('/healthz', async () => healthy());
  app.get('/readyz', async (_request, reply) => {
    const reason = await app.readiness.reason();
    const notes = app.readiness.notes();
    const told = Object.keys(notes).length === 0 ? healthy() : { ...healthy(), notes };
    if (reason === undefined) return told;
    return reply.code(503).send({ ...told, status: 'unhealthy', reason });
  });
}
