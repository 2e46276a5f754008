import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { trace } from '@opentelemetry/api';
import type { FastifyInstance } from 'fastify';
import type { Registration } from '../discovery/registration.ts';
import { timeouts, within } from './timeouts.ts';

export interface ServeOptions {
  /** The address that it listens at. */
  readonly host: string;
  readonly port: number;
  /** How long a stopping service still answers, so that everyone learns that it goes. */
  readonly drainMs: number;
  /** What must be done before the first request, for instance migrations. A signal meanwhile ends the process at once. */
  readonly prepare?: () => Promise<void>;
  /** Says others where the service is: begun once it listens, ended as soon as it is told to stop. */
  readonly registration?: Registration | undefined;
  /** What to close after the last request, in this order. */
  readonly onClose: readonly (() => Promise<void>)[];
}

const closeStepMs = 3_000;
const flushMs = 3_000;

/**
 * Listens until SIGTERM or SIGINT, then: unready and deregistered -> `drainMs` -> no new connections, running requests
 * end -> onClose in order -> spans flushed -> exit. Each step is bounded; the exit code is 1 if one before the flush
 * failed. A second signal ends the process at once.
 */
export async function serve(app: FastifyInstance, options: ServeOptions): Promise<void> {
  let state: 'preparing' | 'serving' | 'stopping' = 'preparing';
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (state === 'preparing') process.exit(0);
      if (state === 'stopping') process.exit(signal === 'SIGTERM' ? 143 : 130);
      state = 'stopping';
      void shutDown(app, options, signal);
    });
  }
  await options.prepare?.();
  state = 'serving';
  await app.listen({
    port: options.port,
    host: options.host,
    listenTextResolver: (address) => `listening at ${address}`,
  });
  const { port } = app.server.address() as AddressInfo;
  app.log.info({ port }, 'ready for requests');
  options.registration?.begin(port);
}

async function shutDown(app: FastifyInstance, options: ServeOptions, signal: string): Promise<void> {
  const { drainMs, registration, onClose } = options;
  app.log.info({ signal, drain_ms: drainMs }, 'draining');
  app.readiness.drain();
  // Side by side: those who hear of the goodbye need the time to end what they have begun.
  await Promise.all([registration?.end(), sleep(drainMs)]);

  const failures = [
    ...(await step(app, 'running requests', timeouts.answerMs + timeouts.takeMs, async () => await app.close())),
  ];
  app.server.closeAllConnections();
  for (const close of onClose) failures.push(...(await step(app, 'closing', closeStepMs, close)));
  await step(app, 'flushing spans', flushMs, flushSpans); // lost spans are no failure of the service

  app.log.info({ signal, failed_steps: failures.length }, 'stopped');
  process.exit(failures.length === 0 ? 0 : 1);
}

async function step(app: FastifyInstance, what: string, ms: number, run: () => Promise<void>): Promise<Error[]> {
  try {
    await within(ms, what, run());
    return [];
  } catch (error) {
    app.log.error({ err: error }, 'a step of the shutdown failed');
    return [error instanceof Error ? error : new Error(String(error))];
  }
}

/** Hands over the spans that are still held, if telemetry is loaded. */
async function flushSpans(): Promise<void> {
  const provider: object = trace.getTracerProvider();
  const delegate: unknown = 'getDelegate' in provider ? (provider.getDelegate as () => unknown)() : provider;
  if (typeof delegate === 'object' && delegate !== null && 'forceFlush' in delegate) {
    await (delegate.forceFlush as () => Promise<void>)();
  }
}
