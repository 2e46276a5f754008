import type { Channel, ConsumeMessage } from 'amqplib';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { within } from '../serving/timeouts.ts';
import { eventHeaders, type OrderSubscription } from './order-events.ts';

export interface ConsumerMetrics {
  readonly consumed: Counter<'outcome'>;
  /** Adds the age of a message that has just been dealt with. */
  readonly aged: (message: ConsumeMessage) => void;
  /** From now on the broker is asked over this channel how many messages wait; undefined ends that. */
  readonly askOver: (channel: Channel | undefined) => void;
}

/** From a broker next door to a queue that has stood still for an hour. */
const ageBuckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600];
/** The broker is asked once for so long, whoever scrapes. */
const freshMs = 5_000;
const askMs = 1_000;

/** What a subscriber shows of its queue, its dead letters and what it does with them. */
export function consumerMetrics(registry: Registry, { queue, deadLetters }: OrderSubscription): ConsumerMetrics {
  const registers = [registry];
  let channel: Channel | undefined;
  const waiting = (name: string, which: string, help: string) => {
    const count = counted(() => channel, which);
    return new Gauge({
      name,
      help: `${help} NaN while the broker does not answer.`,
      labelNames: ['queue'],
      registers,
      async collect() {
        this.set({ queue: which }, await count());
      },
    });
  };
  waiting('queue_messages', queue, 'Messages that are ready in the queue of this subscriber.');
  waiting('dead_letters', deadLetters, 'Messages that this subscriber could not use and that wait for a person.');

  const age = new Histogram({
    name: 'message_age_seconds',
    help: 'Time from the moment that an event came to be to the end of its handling.',
    labelNames: ['queue'],
    buckets: ageBuckets,
    registers,
  });
  return {
    consumed: new Counter({
      name: 'messages_consumed_total',
      help: 'Deliveries by outcome: stored, duplicate, dead, or requeued after a failure.',
      labelNames: ['outcome'],
      registers,
    }),
    aged: ({ properties }) => {
      const created = creationOf(properties);
      if (created !== undefined) age.observe({ queue }, Math.max(0, Date.now() - created) / 1000);
    },
    askOver: (given) => {
      channel = given;
    },
  };
}

/** Milliseconds since 1970; to the second where a publisher of an older release sent the message. */
function creationOf({ headers, timestamp }: ConsumeMessage['properties']): number | undefined {
  const created = Date.parse(String(headers?.[eventHeaders.createdAt]));
  if (!Number.isNaN(created)) return created;
  return typeof timestamp === 'number' ? timestamp * 1000 : undefined;
}

/** How many messages wait in a queue, as the broker said a moment ago; NaN when it does not say. */
function counted(channelNow: () => Channel | undefined, queue: string): () => Promise<number> {
  let known: Promise<number> = Promise.resolve(Number.NaN);
  let askedAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (performance.now() - askedAt < freshMs) return known;
    askedAt = performance.now();
    known = ask(channelNow(), queue).catch(() => Number.NaN);
    return known;
  };
}

/** Asks by declaring: a question about a queue that is gone would close the channel, and with it end the session. */
async function ask(channel: Channel | undefined, queue: string): Promise<number> {
  if (channel === undefined) return Number.NaN;
  const { messageCount } = await within(askMs, `count of ${queue}`, channel.assertQueue(queue, { durable: true }));
  return messageCount;
}
