import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DatabaseSettings, database, query } from '../../services/common/src/database/postgres.ts';
import { type Broker, keepConnected } from '../../services/common/src/messages/broker.ts';
import { type ConsumerOptions, orderEventConsumer } from '../../services/common/src/messages/consumer.ts';
import { declareOrderEvents, orderSubscriptions } from '../../services/common/src/messages/order-events.ts';
import { recordingLog, settingsOf } from '../support/database.ts';
import { orderEvent, publishEvents } from '../support/order-events.ts';
import { type Postgres, startPostgres } from '../support/postgres.ts';
import { type RabbitMq, startRabbitMq } from '../support/rabbitmq.ts';
import { depth, drain, withChannel } from '../support/shop.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

const patient = { timeout: 30_000, interval: 50 };
const subscription = orderSubscriptions.notification;

type Handle = ConsumerOptions['handle'];

let postgres: Postgres;
let rabbitmq: RabbitMq;
let proxy: TcpProxy;
let settings: DatabaseSettings;
let pool: ReturnType<typeof database>;
const running: Broker[] = [];

beforeAll(async () => {
  [postgres, rabbitmq] = await Promise.all([startPostgres(), startRabbitMq()]);
  proxy = await startTcpProxy(rabbitmq);
  settings = settingsOf(await postgres.createDatabase('inbox'));
  pool = database(settings, recordingLog());
  await query(
    pool,
    `CREATE TABLE processed_messages (id text PRIMARY KEY, processed_at timestamptz NOT NULL DEFAULT now());
     CREATE TABLE handled (order_id uuid NOT NULL)`,
  );
  await withChannel(rabbitmq, declareOrderEvents);
});
afterAll(async () => {
  await Promise.all([pool?.end(), proxy?.stop()]);
  await Promise.all([postgres?.stop(), rabbitmq?.stop()]);
});
beforeEach(async () => {
  await withChannel(rabbitmq, async (channel) => {
    await channel.purgeQueue(subscription.queue);
    await channel.purgeQueue(subscription.deadLetters);
  });
  await query(pool, 'TRUNCATE handled, processed_messages');
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((it) => it.close()));
});

/** The work of most tests: as many rows as there were messages with an effect. */
const keep: Handle = async (client, { event }) => {
  await client.query('INSERT INTO handled (order_id) VALUES ($1)', [event.order_id]);
};

interface Subscriber {
  readonly outcomes: () => Promise<Readonly<Record<string, number>>>;
  readonly log: ReturnType<typeof recordingLog>;
  /** Rejects when it did not end in order. */
  readonly stop: () => Promise<void>;
}

function subscribe(handle: Handle): Subscriber {
  const [log, registry] = [recordingLog(), new Registry()];
  const address = {
    rabbitmqHost: '127.0.0.1',
    rabbitmqPort: proxy.port,
    rabbitmqUser: rabbitmq.user,
    rabbitmqPassword: rabbitmq.password,
    rabbitmqVhost: rabbitmq.vhost,
  };
  const broker = keepConnected(address, log, orderEventConsumer({ pool, log, registry, subscription, handle }));
  running.push(broker);
  return {
    log,
    stop: broker.close,
    outcomes: async () => {
      const consumed = await registry.getSingleMetric('messages_consumed_total')?.get();
      return Object.fromEntries(consumed?.values.map(({ labels, value }) => [labels.outcome, value]) ?? []);
    },
  };
}

async function publish(count: number, times = 1): Promise<readonly string[]> {
  const events = Array.from({ length: count }, () => ({ body: orderEvent(), messageId: crypto.randomUUID() }));
  for (let round = 0; round < times; round++) expect(await publishEvents(rabbitmq, events)).toBe(0);
  return events.map(({ body }) => body.order_id).sort();
}

async function handled(): Promise<readonly string[]> {
  const { rows } = await query<{ order_id: string }>(pool, 'SELECT order_id FROM handled ORDER BY order_id');
  return rows.map((row) => row.order_id);
}

async function deadLetters() {
  const messages = await drain(rabbitmq, subscription.deadLetters);
  return messages.map(({ content, properties }) => ({ content: content.toString(), properties }));
}

/** Nothing is waiting and nothing is unacknowledged: what the consumer held would be back by now. */
async function expectQueueEmpty(): Promise<void> {
  await Promise.all(running.splice(0).map((it) => it.close()));
  expect(await depth(rabbitmq, subscription.queue)).toBe(0);
}

describe('a message whose handling fails although the database answers', () => {
  it.each<[string, Handle, string]>([
    [
      'in the database',
      async (client) => {
        await client.query(`INSERT INTO handled (order_id) VALUES ('17')`);
      },
      'invalid input syntax for type uuid: "17"',
    ],
    [
      'in our own code, even before the first wait',
      () => {
        throw new TypeError('nobody thought of this');
      },
      'nobody thought of this',
    ],
  ])(
    '%s is tried five times and then laid aside with the last error; those behind it go on meanwhile',
    async (_, fail, error) => {
      const poison = orderEvent();
      let tries = 0;
      const subscriber = subscribe(async (client, message) => {
        if (message.id !== 'poison') return keep(client, message);
        tries++;
        await keep(client, message);
        await fail(client, message);
      });
      await publishEvents(rabbitmq, [{ body: poison, messageId: 'poison', headers: { 'schema-version': 1 } }]);
      const behind = await publish(30);
      await expect.poll(handled, patient).toEqual(behind);
      expect(tries).toBeLessThan(5);

      await expect.poll(() => depth(rabbitmq, subscription.deadLetters), patient).toBe(1);
      expect(tries).toBe(5);
      expect(await deadLetters()).toEqual([
        {
          content: JSON.stringify(poison),
          properties: expect.objectContaining({
            messageId: 'poison',
            type: 'OrderCreated',
            headers: { 'schema-version': 1, 'dead-letter-reason': `failed 5 times: ${error}` },
          }),
        },
      ]);
      expect(await handled()).toEqual(behind);
      await expect.poll(subscriber.outcomes, patient).toEqual({ stored: 30, dead: 1 });
      await expectQueueEmpty();
    },
  );

  it('has its effect once when a later try succeeds', async () => {
    let tries = 0;
    const subscriber = subscribe(async (client, message) => {
      await keep(client, message);
      if (++tries < 5) throw new Error('not yet');
    });
    const orders = await publish(1);
    await expect.poll(subscriber.outcomes, patient).toEqual({ stored: 1 });
    expect(await handled()).toEqual(orders);
    expect(await depth(rabbitmq, subscription.deadLetters)).toBe(0);
    await expectQueueEmpty();
  });

  it('returns to the queue when the subscriber is told to stop between two tries; what is in work is finished', async () => {
    const stopping = new AbortController();
    const subscriber = subscribe(async (client, message) => {
      if (message.id === 'poison') throw new Error('not yet');
      await keep(client, message);
      if (!stopping.signal.aborted) await once(stopping.signal, 'abort');
    });
    const orders = await publish(4);
    await publishEvents(rabbitmq, [{ body: orderEvent(), messageId: 'poison' }]);
    await expect.poll(() => subscriber.log.lines.join('\n'), patient).toContain('"tries":3');
    const start = performance.now();
    const stopped = subscriber.stop();
    stopping.abort();
    await stopped;
    expect(performance.now() - start).toBeLessThan(500);
    expect(subscriber.log.lines.join('\n')).not.toContain('no session with the broker');
    expect(await handled()).toEqual(orders);
    expect(await depth(rabbitmq, subscription.queue)).toBe(1);
    expect(await depth(rabbitmq, subscription.deadLetters)).toBe(0);
  });
});

describe('a message that cannot be read', () => {
  it('is laid aside even when the driver cannot write its envelope again', async () => {
    const subscriber = subscribe(keep);
    // Arrives as a number that is greater than what the driver writes.
    const headers = { odd: { '!': 'timestamp', value: 2n ** 64n - 1n } };
    await publishEvents(rabbitmq, [{ body: 'order 17, please', headers }]);
    const behind = await publish(1);
    await expect.poll(subscriber.outcomes, patient).toEqual({ stored: 1, dead: 1 });
    expect(await handled()).toEqual(behind);
    expect(await deadLetters()).toMatchObject([
      {
        content: 'order 17, please',
        properties: { headers: { 'dead-letter-reason': 'the body is not a JSON object' } },
      },
    ]);
    await expectQueueEmpty();
  });

  it('with an id that no database holds does not stay in the way', async () => {
    const subscriber = subscribe(keep);
    await publishEvents(rabbitmq, [{ body: orderEvent(), messageId: 'a\0b' }]);
    await expect.poll(subscriber.outcomes, patient).toEqual({ dead: 1 });
    expect((await deadLetters())[0]?.properties.headers).toMatchObject({
      'dead-letter-reason': 'the message has no id',
    });
    await expectQueueEmpty();
  });
});

describe('while something that no message is to blame for fails', () => {
  it('messages return to the queue for as long as the database is away, and none is lost or laid aside', async () => {
    const subscriber = subscribe(keep);
    const before = await publish(500);
    await expect.poll(async () => (await handled()).length, patient).toBeGreaterThan(20);
    await postgres.halt(); // in order: the fixture's server forgets its last commits in a crash
    const orders = [...before, ...(await publish(50))].sort();
    // Longer than five tries take.
    const sessions = () => subscriber.log.lines.filter((line) => line.includes('no session with the broker')).length;
    await expect.poll(sessions, patient).toBeGreaterThanOrEqual(5);
    await postgres.resume();
    await expect.poll(() => handled().catch(() => []), patient).toEqual(orders);
    expect((await subscriber.outcomes()).requeued).toBeGreaterThanOrEqual(5);
    expect(await depth(rabbitmq, subscription.deadLetters)).toBe(0);
    await expectQueueEmpty();
  });

  it.each([
    ['takes no writes', `default_transaction_read_only = on`, `default_transaction_read_only = off`],
    ['lets nobody in', `ROLE inbox NOLOGIN`, `ROLE inbox LOGIN`],
  ])('messages return to the queue while the database %s, too', async (_, breaks, heals) => {
    const admin = database({ ...settings, dbUser: postgres.user, dbPassword: postgres.password }, recordingLog());
    const alter = async (what: string) => {
      await admin.query(what.startsWith('ROLE') ? `ALTER ${what}` : `ALTER DATABASE inbox SET ${what}`);
      await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'inbox'`);
    };
    const subscriber = subscribe(keep);
    await alter(breaks);
    const orders = await publish(5);
    const sessions = () => subscriber.log.lines.filter((line) => line.includes('no session with the broker')).length;
    await expect.poll(sessions, patient).toBeGreaterThanOrEqual(5);
    expect(await depth(rabbitmq, subscription.deadLetters)).toBe(0);
    await alter(heals);
    await admin.end();
    await expect.poll(() => handled().catch(() => []), patient).toEqual(orders);
    expect(await depth(rabbitmq, subscription.deadLetters)).toBe(0);
    await expectQueueEmpty();
  });

  it('loses nothing and does nothing twice when the broker restarts in the middle of the work', async () => {
    const subscriber = subscribe(async (client, message) => {
      await keep(client, message);
      await sleep(20);
    });
    const orders = await publish(300);
    await expect.poll(async () => (await handled()).length, patient).toBeGreaterThan(20);
    await rabbitmq.restart();
    await expect.poll(handled, patient).toEqual(orders);
    expect(subscriber.log.lines.join('\n')).toContain('no session with the broker');
    expect(await depth(rabbitmq, subscription.deadLetters)).toBe(0);
    await expectQueueEmpty();
  });
});

describe('a message that is delivered again', () => {
  it('has one effect when everything is delivered twice to two replicas', async () => {
    const subscribers = [subscribe(keep), subscribe(keep)];
    const orders = await publish(300, 2);
    const total = async () => {
      const outcomes = await Promise.all(subscribers.map((it) => it.outcomes()));
      const sum = (name: string) => outcomes.reduce((all, it) => all + (it[name] ?? 0), 0);
      return { stored: sum('stored'), duplicate: sum('duplicate'), dead: sum('dead') };
    };
    await expect.poll(total, patient).toEqual({ stored: 300, duplicate: 300, dead: 0 });
    expect(await handled()).toEqual(orders);
    await expectQueueEmpty();
  });

  it('has one effect when the connection breaks between the commit and the acknowledgement', async () => {
    const held = new AbortController();
    const subscriber = subscribe(async (client, message) => {
      await keep(client, message);
      if (!held.signal.aborted) await once(held.signal, 'abort');
    });
    const orders = await publish(5);
    const open = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE state = 'idle in transaction'`;
    await expect.poll(async () => (await query<{ n: number }>(pool, open)).rows[0]?.n, patient).toBe(5);
    proxy.cut();
    await expect.poll(() => depth(rabbitmq, subscription.queue), patient).toBe(5);
    held.abort();
    await expect.poll(async () => (await subscriber.outcomes()).duplicate, patient).toBe(5);
    expect(await handled()).toEqual(orders);
    await expectQueueEmpty();
  });

  it('is known for seven days; what is older goes with the messages that come', async () => {
    await query(
      pool,
      `INSERT INTO processed_messages (id, processed_at)
       SELECT 'old-' || n, now() - interval '7 days 1 minute' FROM generate_series(1, 30) AS n
       UNION ALL SELECT 'known-' || n, now() - interval '6 days 23 hours' FROM generate_series(1, 10) AS n`,
    );
    const subscriber = subscribe(keep);
    await publishEvents(rabbitmq, [{ body: orderEvent(), messageId: 'known-1' }]);
    await publish(20);
    await expect.poll(subscriber.outcomes, patient).toEqual({ stored: 20, duplicate: 1 });
    const { rows } = await query<{ known: number; old: number }>(
      pool,
      `SELECT count(*) FILTER (WHERE id LIKE 'known-%')::int AS known,
              count(*) FILTER (WHERE id LIKE 'old-%')::int AS old FROM processed_messages`,
    );
    expect(rows).toEqual([{ known: 10, old: 0 }]);
  });

  it('is known as long as its note is there, however old that is', async () => {
    await query(pool, `INSERT INTO processed_messages VALUES ('old', now() - interval '8 days')`);
    const subscriber = subscribe(keep);
    for (const times of [1, 2]) {
      await publishEvents(rabbitmq, [{ body: orderEvent(), messageId: 'old' }]);
      await expect.poll(subscriber.outcomes, patient).toEqual({ duplicate: times });
    }
  });
});
