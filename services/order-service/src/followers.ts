import { type Log, Problem } from '@microservice-platform/common';
import { Gauge, type Registry } from 'prom-client';
import { bell } from './bell.ts';
import type { Recorded } from './events.ts';

/** The events of each of these orders that follow the version given with it. */
export type ReadNews = (after: ReadonlyMap<string, number>) => Promise<ReadonlyMap<string, readonly Recorded[]>>;

export interface Followers {
  /**
   * The events of an order after a version, as they happen: what there is at once, or an empty list when nothing
   * happened for `quietMs`. Ends with `ended`. Whoever takes slowly is given more at a time.
   *
   * @throws Problem `unavailable` when there are too many followers
   */
  readonly follow: (id: string, after: number, ended: AbortSignal) => AsyncGenerator<readonly Recorded[], void, void>;
}

export interface FollowerLimits {
  /** From one look to the next, for all followers together; nobody looks while there are none. */
  readonly pollMs: number;
  readonly quietMs: number;
  readonly maxFollowers: number;
}

interface Follower {
  readonly id: string;
  readonly tell: (news: readonly Recorded[]) => void;
  /** The version that it has. */
  readonly after: () => number;
}

export const followerLimits: FollowerLimits = { pollMs: 500, quietMs: 15_000, maxFollowers: 500 };

/** Everyone who follows an order at this process, with one look at the database for all of them. */
export function orderFollowers(
  read: ReadNews,
  { log, registry, limits = followerLimits }: { log: Log; registry?: Registry; limits?: FollowerLimits },
): Followers {
  const all = new Set<Follower>();
  let looking = false;
  let blind = false;

  const look = async () => {
    const news = await read(oldestVersions(all));
    for (const follower of all) follower.tell(news.get(follower.id) ?? []);
    blind = false;
  };
  const lookAgain = () => {
    looking = all.size > 0;
    if (looking) setTimeout(() => void look().catch(unread).finally(lookAgain), limits.pollMs).unref();
  };
  const unread = (error: unknown) => {
    if (!blind) log.warn({ reason: String(error) }, 'no news of orders until the database answers again');
    blind = true;
  };

  if (registry !== undefined) countFollowers(registry, () => all.size);
  return {
    follow: (id, after, ended) => {
      if (all.size >= limits.maxFollowers) {
        throw new Problem('unavailable', `${limits.maxFollowers} follow an order here already; try again later`);
      }
      const { follower, news } = newFollower(id, after, limits.quietMs);
      all.add(follower);
      const leave = () => void all.delete(follower);
      ended.addEventListener('abort', leave, { once: true });
      if (ended.aborted) leave();
      if (!looking) lookAgain();
      return news(ended, leave);
    },
  };
}

/** News are kept until they are taken, and then once more as they were read: nothing piles up, and nothing is lost. */
function newFollower(id: string, first: number, quietMs: number) {
  let after = first;
  let waiting: readonly Recorded[] = [];
  const heard = bell();
  const follower: Follower = {
    id,
    after: () => after,
    tell: (news) => {
      waiting = news.filter(({ version }) => version > after);
      if (waiting.length > 0) heard.ring();
    },
  };
  async function* news(ended: AbortSignal, leave: () => void): AsyncGenerator<readonly Recorded[], void, void> {
    try {
      for (;;) {
        await heard.heard(quietMs, ended);
        if (ended.aborted) return;
        const taken = waiting;
        waiting = [];
        after = taken.at(-1)?.version ?? after;
        yield taken;
      }
    } finally {
      leave();
    }
  }
  return { follower, news };
}

function oldestVersions(followers: Iterable<Follower>): ReadonlyMap<string, number> {
  const oldest = new Map<string, number>();
  for (const { id, after } of followers) oldest.set(id, Math.min(after(), oldest.get(id) ?? Number.POSITIVE_INFINITY));
  return oldest;
}

function countFollowers(registry: Registry, count: () => number): void {
  new Gauge({
    name: 'order_followers',
    help: 'Callers that follow the events of an order at this process.',
    registers: [registry],
    collect() {
      this.set(count());
    },
  });
}
