import type { FastifyRequest } from 'fastify';
import type { Generation } from './routes/in-force.ts';
import type { Match } from './routes/table.ts';

/** What a caller is answered, wherever it came from. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
}

/** Asks for an answer, or makes it. @throws Problem, or UpstreamError when it takes somebody else who does not answer */
export type Asking = (asked: Asked) => Answer | Promise<Answer>;

/** A request with the route that it takes. */
export interface Asked extends Match {
  readonly generation: Generation;
  readonly request: FastifyRequest;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}
