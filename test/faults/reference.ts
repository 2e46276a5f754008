import { differences, type Essence } from '../support/essence.ts';
import { inWords } from './asked.ts';
import { type Deeds, deedProblems, deedsIn, truthProblems } from './oracles.ts';
import { settled } from './settling.ts';
import { create, type Workload, workloadOf } from './workloads.ts';
import type { World } from './world.ts';

/** What comes of a workload when nothing goes wrong. */
export interface Reference {
  /** At rest, before the first step. */
  readonly before: Essence;
  /** At rest after each step. */
  readonly after: readonly Essence[];
  readonly deeds: Deeds;
  /** What the operator wrote during the steps, in its order. */
  readonly writes: readonly string[];
}

/** Follows workloads without a fault; what came of each is remembered. */
export class References {
  readonly #world: World;
  readonly #known = new Map<string, Promise<Reference>>();

  constructor(world: World) {
    this.#world = world;
  }

  /** @throws Error when the same is not the same twice: then nothing could be learnt from a difference */
  of(workload: string): Promise<Reference> {
    const known = this.#known.get(workload) ?? this.#find(workloadOf(workload));
    this.#known.set(workload, known);
    return known;
  }

  async #find(workload: Workload): Promise<Reference> {
    const [one, other] = await Promise.all([followed(this.#world, workload), followed(this.#world, workload)]);
    const wrong = [
      ...[...one.after, one.before].flatMap((state, at) =>
        differences([...other.after, other.before][at] ?? {}, state),
      ),
      ...deedProblems(other.deeds, one.deeds),
    ];
    if (wrong.length > 0) throw new Error(`${workload.name}: not the same twice without a fault: ${wrong.join('; ')}`);
    return one.writes.length >= other.writes.length ? one : other;
  }
}

async function followed(world: World, workload: Workload): Promise<Reference> {
  const namespace = await world.namespace();
  if (workload.before !== undefined) await world.act(create(workload.before), namespace);
  const before = await settled(world, namespace);
  const earlier = world.proxy.writesTo(namespace).length;
  const after: Essence[] = [];
  for (const step of workload.steps) {
    await world.act(step, namespace);
    after.push(await settled(world, namespace));
  }
  const history = world.observer.history(namespace);
  const lies = truthProblems(history);
  if (lies.length > 0) throw new Error(`${workload.name}, without a fault: ${lies.join('; ')}`);
  const writes = world.proxy.writesTo(namespace).slice(earlier).map(inWords);
  await world.clear([namespace]);
  return { before, after, deeds: deedsIn(history), writes };
}
