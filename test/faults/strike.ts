import { inWords, isWrite } from './asked.ts';
import type { Mishap } from './proxy.ts';
import type { World } from './world.ts';

/** A fault that waits for its moment. */
export interface Strike {
  /** What it hit, once it has. */
  readonly hit: string | undefined;
  /** When it hit, on the clock of `performance.now`. */
  readonly hitAt: number | undefined;
  /** From now on it hits nothing. */
  end(): void;
}

/** Has one thing go wrong with the nth write (from 1) of the operator to a namespace. */
export function strikeWrite({ proxy }: World, namespace: string, nth: number, mishap: Mishap): Strike {
  let count = 0;
  let hit: string | undefined;
  let hitAt: number | undefined;
  const end = proxy.add((asked) => {
    if (asked.namespace !== namespace || !isWrite(asked)) return undefined;
    count += 1;
    if (count !== nth) return undefined;
    hit = inWords(asked);
    hitAt = performance.now();
    return mishap;
  });
  return {
    get hit() {
      return hit;
    },
    get hitAt() {
      return hitAt;
    },
    end,
  };
}
