import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks until the answer is something, and gives that answer.
 * @throws Error naming what was waited for, and the failure if the last question had one, after `timeoutMs`
 */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  { timeoutMs = 60_000, everyMs = 200 }: { readonly timeoutMs?: number; readonly everyMs?: number } = {},
): Promise<T> {
  const end = Date.now() + timeoutMs;
  let last: string;
  while (true) {
    last = '';
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      last = error instanceof Error ? `; last seen: ${error.message}` : '';
    }
    if (Date.now() > end) throw new Error(`waited ${timeoutMs / 1000} s for ${what}${last}`);
    await sleep(everyMs);
  }
}
