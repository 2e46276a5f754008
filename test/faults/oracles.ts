import { differences, type Essence } from '../support/essence.ts';
import type { Wire } from '../support/kube-api.ts';
import { falsehoodsIn } from './false-ready.ts';
import type { Sight } from './observer.ts';

/** How often each object was created and deleted, by kind and name: `1 created, 0 deleted`. */
type Counts = Readonly<Record<string, string>>;

/** What was done to the objects of a namespace. */
export interface Deeds {
  readonly counts: Counts;
  /** The generation of every Deployment that there was, in their order: each change of what it asks for is one more. */
  readonly generations: readonly number[];
  /** Versions of pods that were ever made. */
  readonly versions: number;
}

/**
 * Pods have names by chance, and are counted as part of the state; Microservices come and go by somebody's hand, the others
 * with every namespace.
 */
const uncounted = new Set(['Pod', 'Microservice', 'ConfigMap/kube-root-ca.crt', 'ServiceAccount/default']);

/** Reads the history of a namespace, which has to be in the order of its versions. */
export function deedsIn(history: readonly Sight[]): Deeds {
  const counted = history.filter(({ type, object }) => type !== 'MODIFIED' && isCounted(object));
  const byObject = Map.groupBy(counted, ({ object }) => `${object.kind}/${object.metadata.name}`);
  const countOf = (sights: readonly Sight[], of: Sight['type']) => sights.filter(({ type }) => type === of).length;
  const counts = [...byObject].map(
    ([id, sights]) => [id, `${countOf(sights, 'ADDED')} created, ${countOf(sights, 'DELETED')} deleted`] as const,
  );
  const generations = new Map<string, number>();
  for (const { object } of history) {
    if (object.kind === 'Deployment') generations.set(object.metadata.uid, object.metadata.generation);
  }
  return {
    counts: Object.fromEntries(counts),
    generations: [...generations.values()],
    versions: [...byObject.keys()].filter((id) => id.startsWith('ReplicaSet/')).length,
  };
}

function isCounted({ kind, metadata }: Wire): boolean {
  return !uncounted.has(kind) && !uncounted.has(`${kind}/${metadata.name}`);
}

/** O1: what is left is not what is left when nothing goes wrong. */
export function stateProblems(found: Essence, expected: Essence): readonly string[] {
  return differences(found, expected).map((line) => `O1 end state: ${line}`);
}

/** O2 and O3: something was made or deleted that nobody asked for, or pods were replaced that could have stayed. */
export function deedProblems(found: Deeds, expected: Deeds): readonly string[] {
  const ids = new Set([...Object.keys(found.counts), ...Object.keys(expected.counts)]);
  const counts = [...ids].flatMap((id) => {
    const [is, due] = [found.counts[id] ?? 'never there', expected.counts[id] ?? 'never there'];
    return is === due ? [] : [`O2 counts: ${id}: ${is}; without a fault: ${due}`];
  });
  const [is, due] = [found.generations.join(', '), expected.generations.join(', ')];
  const generations = is === due ? [] : [`O3 rollouts: generations of the Deployment ${is}; without a fault: ${due}`];
  const versions =
    found.versions === expected.versions
      ? []
      : [`O3 rollouts: ${found.versions} versions of pods; without a fault: ${expected.versions}`];
  return [...counts, ...generations, ...versions];
}

/** C18: a Microservice said that it is ready while it was not. */
export function truthProblems(history: readonly Sight[]): readonly string[] {
  const lies = falsehoodsIn(history).filter(({ isLie }) => isLie);
  return lies.map(({ forMs, because }) => `C18 false Ready for ${Math.round(forMs)} ms: ${because}`);
}
