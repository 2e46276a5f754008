import { setTimeout as sleep } from 'node:timers/promises';
import { differences, type Essence } from '../support/essence.ts';
import { eventually } from '../support/eventually.ts';
import type { Wire } from '../support/kube-api.ts';
import type { World } from './world.ts';

/** Looks at the state are cheap: it is in memory. */
const everyMs = 10;

/**
 * Waits until a namespace is as it should be.
 * @param unless ends the waiting sooner, when something else became true
 * @param of the part of the state that matters
 * @throws Error with what is still different
 */
export async function reaches(
  world: World,
  namespace: string,
  expected: Essence,
  {
    withinMs,
    unless = () => false,
    of = (state) => state,
  }: { readonly withinMs: number; readonly unless?: () => boolean; readonly of?: (state: Essence) => Essence },
): Promise<void> {
  await eventually(
    () => {
      if (unless()) return;
      const wrong = differences(of(world.state(namespace)), expected);
      if (wrong.length > 0) throw new Error(`not reached within ${withinMs} ms: ${wrong.join('; ')}`);
    },
    { withinMs, everyMs },
  );
}

/**
 * Waits until nothing moves any more in a namespace where nothing goes wrong, and gives what it is like then.
 * @throws Error when the Microservice that is there does not get ready, or what one left behind does not go
 */
export async function settled(world: World, namespace: string, quietMs = 1_000): Promise<Essence> {
  let [last, since] = ['', performance.now()];
  return eventually(
    () => {
      const state = world.state(namespace);
      const now = JSON.stringify([state, world.writesTo(namespace)]);
      if (now !== last) [last, since] = [now, performance.now()];
      const left = Object.keys(state).filter((id) => id !== 'Pods');
      const microservice = world.microservice(namespace);
      if (microservice === undefined && left.length > 0) throw new Error(`still there: ${left.join(', ')}`);
      if (microservice !== undefined && !isReady(microservice)) throw new Error(`not ready: ${wordsOf(microservice)}`);
      if (performance.now() - since < quietMs) throw new Error(`${namespace} goes on moving`);
      return state;
    },
    { withinMs: 60_000, everyMs: 25 },
  );
}

/** Waits until the operator has not written to a namespace for a moment. */
export async function quiet(world: World, namespace: string, quietMs: number): Promise<void> {
  let [last, since] = [world.writesTo(namespace), performance.now()];
  await eventually(
    () => {
      const writes = world.writesTo(namespace);
      if (writes !== last) [last, since] = [writes, performance.now()];
      if (performance.now() - since < quietMs) throw new Error(`the operator goes on writing to ${namespace}`);
    },
    { withinMs: quietMs + 20_000, everyMs: 25 },
  );
}

/** ESR: reached, and it stays so. What is written in `ms` milliseconds in which nobody asks for anything, in words. */
export async function silence(world: World, namespaces: readonly string[], ms: number): Promise<readonly string[][]> {
  const before = namespaces.map((namespace) => world.writesTo(namespace));
  await sleep(ms);
  return namespaces.map((namespace, at) => {
    const writes = world.writesTo(namespace) - (before[at] ?? 0);
    return writes === 0 ? [] : [`silence: ${writes} writes in ${ms} ms although nothing was asked for`];
  });
}

function isReady({ metadata, status = {} }: Wire): boolean {
  const ready = status.conditions?.find(({ type }: Wire) => type === 'Ready');
  return ready?.status === 'True' && status.observedGeneration === metadata.generation;
}

function wordsOf({ status = {} }: Wire): string {
  const { reason, message } = status.conditions?.find(({ type }: Wire) => type === 'Ready') ?? {};
  return `${reason}: ${message}`;
}
