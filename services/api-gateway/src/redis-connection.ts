import { backoffMs, within } from '@microservice-platform/common';
import { createClient } from '@redis/client';

type Client = ReturnType<typeof clientOf>;

/** Redis where it helps, and never in the way: it answers at once, or counts as away until it is connected to anew. */
export interface RedisConnection {
  /** What Redis answers; undefined while it is away. It never throws. */
  readonly ask: <T>(command: (client: Client) => Promise<T>) => Promise<T | undefined>;
  readonly close: () => Promise<void>;
}

const connectMs = 1_000;

export interface RedisConnectionOptions {
  readonly url: string;
  /** An answer that takes longer is none. */
  readonly answerMs: number;
  /** Hears why Redis is away, and undefined once it is there. */
  readonly changed: (reason: string | undefined) => void;
}

/** Connects, and again whenever the connection is lost. */
export function redisConnection({ url, answerMs, changed }: RedisConnectionOptions): RedisConnection {
  let current: Client | undefined;
  let failures = 0;
  let closed = false;
  let next: NodeJS.Timeout | undefined;

  const connect = async () => {
    const client = clientOf(url);
    client.on('error', (error: Error) => lose(client, error));
    try {
      await within(connectMs, 'Redis', client.connect());
      if (closed) return destroy(client);
      current = client;
      failures = 0;
      changed(undefined);
    } catch (error) {
      away(client, error);
    }
  };
  const away = (client: Client, error: unknown) => {
    destroy(client);
    if (closed) return;
    failures += 1;
    changed(error instanceof Error ? error.message : String(error));
    next = setTimeout(() => void connect(), backoffMs(failures));
  };
  const lose = (client: Client, error: unknown) => {
    if (client !== current) return; // another has said so already, or it was never there
    current = undefined;
    away(client, error);
  };

  void connect();
  return {
    ask: async (command) => {
      const client = current;
      if (client === undefined) return undefined;
      try {
        return await atOnce(answerMs, command(client));
      } catch (error) {
        lose(client, error);
        return undefined;
      }
    },
    close: async () => {
      closed = true;
      clearTimeout(next);
      if (current !== undefined) destroy(current);
    },
  };
}

/** One connection: whether there is another is decided here, not there. Nothing waits in it for a better time. */
const clientOf = (url: string) =>
  createClient({
    url,
    disableOfflineQueue: true,
    socket: { connectTimeout: connectMs, reconnectStrategy: false },
  });

/** What waits in it for an answer fails. */
function destroy(client: Client): void {
  if (client.isOpen) client.destroy();
}

/** An answer that lies ready when the time is over is in time: it was this process that was slow. */
async function atOnce<T>(answerMs: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => setImmediate(() => reject(new Error(`no answer within ${answerMs} ms`))), answerMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
