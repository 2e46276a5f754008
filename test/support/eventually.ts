import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Tries again and again until `attempt` no longer throws; gives what it gave.
 * @throws what the last attempt threw, after `withinMs`
 */
export async function eventually<T>(
  attempt: () => T | Promise<T>,
  { withinMs = 10_000, everyMs = 20 }: { readonly withinMs?: number; readonly everyMs?: number } = {},
): Promise<T> {
  const end = performance.now() + withinMs;
  while (true) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > end) throw error;
      await sleep(everyMs);
    }
  }
}
