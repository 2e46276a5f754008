import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/eventually.ts';
import { lanes, openLane } from './lanes.ts';
import type { World } from './world.ts';

const betweenMs = 250;
const longestMs = 30_000;

/** A Microservice that has no part in any plan: the operator has to go on serving it whatever happens to the others. */
export class Canary {
  readonly #world: World;
  readonly #namespace: string;
  #turn = 0;

  private constructor(world: World, namespace: string) {
    this.#world = world;
    this.#namespace = namespace;
  }

  static async open(world: World): Promise<Canary> {
    return new Canary(world, await openLane(world, lane()));
  }

  /** Edits it again and again while something is done, and gives how long the slowest reaction took. */
  async slowestMsDuring(work: Promise<unknown>): Promise<number> {
    let isOver = false;
    const end = work.finally(() => {
      isOver = true;
    });
    let slowest = 0;
    while (!isOver) {
      slowest = Math.max(slowest, await this.#reactionMs());
      await sleep(betweenMs);
    }
    await end;
    return slowest;
  }

  async close(): Promise<void> {
    await this.#world.clear([this.#namespace]);
  }

  async #reactionMs(): Promise<number> {
    this.#turn += 1;
    const hasReacted = await lane().edit(this.#world, this.#namespace, `turn-${this.#turn}`);
    const edited = performance.now();
    const look = () => {
      if (!hasReacted()) throw new Error(`a Microservice without any fault was not served within ${longestMs} ms`);
    };
    await eventually(look, { withinMs: longestMs, everyMs: 5 });
    return performance.now() - edited;
  }
}

function lane() {
  const found = lanes.find(({ resource }) => resource === 'microservices');
  if (found === undefined) throw new Error('there is no lane of Microservices');
  return found;
}
