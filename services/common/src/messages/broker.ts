import { setTimeout as sleep } from 'node:timers/promises';
import { type ConfirmChannel, connect } from 'amqplib';
import { Gauge, type Registry } from 'prom-client';
import { backoffMs } from '../calls/backoff.ts';
import { port, secret, text } from '../config/config.ts';
import type { Log } from '../database/postgres.ts';
import { within } from '../serving/timeouts.ts';

/** What a service that uses the broker reads besides. */
export const brokerConfig = {
  rabbitmqHost: text('RABBITMQ_HOST'),
  rabbitmqPort: port('RABBITMQ_PORT', 5672),
  rabbitmqUser: text('RABBITMQ_USER'),
  rabbitmqPassword: secret('RABBITMQ_PASSWORD'),
  rabbitmqVhost: text('RABBITMQ_VHOST', '/'),
} as const;

export interface BrokerSettings {
  readonly rabbitmqHost: string;
  readonly rabbitmqPort: number;
  readonly rabbitmqUser: string;
  readonly rabbitmqPassword: string;
  readonly rabbitmqVhost: string;
}

/** One connection to the broker, from its opening to its loss. */
export interface BrokerSession {
  /** The only channel of the connection, with publisher confirms. */
  readonly channel: ConfirmChannel;
  /** Aborted when the channel or the connection is gone; its reason tells why. */
  readonly lost: AbortSignal;
  /** Aborted when the service stops: take nothing new, finish what is in flight, return. */
  readonly stop: AbortSignal;
}

export interface Broker {
  /** Rejects with the reason while there is no session. For readiness checks. */
  readonly check: () => Promise<void>;
  /** Ends the session in order and connects no more. Bounded: what is not finished then is for the next process. */
  readonly close: () => Promise<void>;
}

const connectMs = 5000;
/** Twice this without a sign of life, and the connection counts as lost. */
const heartbeatS = 5;
const closeMs = 1000;
const stopMs = 2500;
/** A session that lasted this long was a success: the next failure starts with short waits again. */
const steadyMs = 10_000;

/**
 * Keeps one connection to the broker for as long as the service runs: connects, runs `work` in the session, and when
 * either fails connects anew, for ever, with growing pauses. `work` declares what it needs and returns after `stop`.
 * `registry` shows whether there is a session.
 */
export function keepConnected(
  settings: BrokerSettings,
  log: Log,
  work: (session: BrokerSession) => Promise<void>,
  registry?: Registry,
): Broker {
  const stop = new AbortController();
  let trouble: string | undefined = 'not connected yet';

  const run = async () => {
    for (let failures = 0; !stop.signal.aborted; ) {
      const start = Date.now();
      try {
        await withSession(settings, stop.signal, async (session) => {
          trouble = undefined;
          log.info({ broker: settings.rabbitmqHost }, 'connected to the broker');
          await work(session);
        });
      } catch (error) {
        trouble = error instanceof Error ? error.message : String(error);
        failures = Date.now() - start >= steadyMs ? 1 : failures + 1;
        const pauseMs = Math.round(backoffMs(failures));
        log.warn({ reason: trouble, retry_in_ms: pauseMs }, 'no session with the broker');
        await sleep(pauseMs, undefined, { signal: stop.signal }).catch(() => undefined);
      }
    }
  };
  const ended = run();
  if (registry !== undefined) showConnection(registry, () => trouble === undefined);

  return {
    check: async () => {
      if (trouble !== undefined) throw new Error(trouble);
    },
    close: async () => {
      stop.abort();
      await within(stopMs, 'end of the session with the broker', ended).catch((error: unknown) => {
        log.warn({ reason: String(error) }, 'unfinished messages are left to the next process');
      });
    },
  };
}

function showConnection(registry: Registry, connected: () => boolean): void {
  new Gauge({
    name: 'broker_connected',
    help: 'Whether there is a session with the broker: 0 or 1.',
    registers: [registry],
    collect() {
      this.set(connected() ? 1 : 0);
    },
  });
}

/** Opens a connection and a channel, runs `work`, and closes both. Fails when either was lost meanwhile. */
async function withSession(
  settings: BrokerSettings,
  stop: AbortSignal,
  work: (session: BrokerSession) => Promise<void>,
): Promise<void> {
  const connection = await connect(
    {
      hostname: settings.rabbitmqHost,
      port: settings.rabbitmqPort,
      username: settings.rabbitmqUser,
      password: settings.rabbitmqPassword,
      vhost: encodeURIComponent(settings.rabbitmqVhost),
      heartbeat: heartbeatS,
    },
    { timeout: connectMs, noDelay: true },
  );
  const lost = new AbortController();
  const lose = (error?: Error) => lost.abort(error ?? new Error('the broker closed the connection'));
  connection.on('error', lose);
  connection.on('close', lose);
  try {
    const channel = await connection.createConfirmChannel();
    channel.on('error', lose);
    channel.on('close', () => lose());
    await work({ channel, lost: lost.signal, stop });
    lost.signal.throwIfAborted();
    // First the channel: the driver drops what it has not sent yet, acknowledgements too, when the connection closes.
    await within(closeMs, 'close of the channel', channel.close());
  } catch (error) {
    throw lost.signal.aborted ? lost.signal.reason : error;
  } finally {
    await within(closeMs, 'close of the connection', connection.close()).catch(() => undefined);
  }
}
