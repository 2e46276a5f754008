import {
  contentMarkAnnotation,
  desiredHashAnnotation,
  replicasSetByAnnotation,
} from '../../operator/src/api/labels.ts';
import type { KubeObject } from '../../operator/src/api/object.ts';

/** What children are, by their kind, apart from their name and from what the API server chose for each of them. */
export type Essence = Readonly<Record<string, string>>;

export interface EssenceOptions {
  /** Whether what stands for content in use belongs to it; only the operator knows that content. */
  readonly withContentMark: boolean;
  /** Ports of the nodes that were asked for by their number. */
  readonly nodePorts: readonly number[];
}

export function essenceOf(children: readonly KubeObject[], options: EssenceOptions): Essence {
  return Object.fromEntries(children.map((child) => [child.kind, textOf(child, options)]));
}

function textOf({ metadata, spec, data, automountServiceAccountToken }: KubeObject, options: EssenceOptions): string {
  const { name, labels, annotations = {} } = metadata;
  const { [desiredHashAnnotation]: _, [revisionAnnotation]: __, ...kept } = annotations;
  const isScaled = annotations[replicasSetByAnnotation] === 'autoscaler';
  const told = JSON.stringify(
    { labels, annotations: kept, spec, data, automountServiceAccountToken },
    (key, value: unknown) => {
      if (key === 'replicas' && isScaled) return undefined;
      if (key === contentMarkAnnotation && !options.withContentMark) return undefined;
      return inOrder(given(key, value, options));
    },
    1,
  );
  // Annotations of which only the mark is left, in the one case, are none, as they are in the other.
  return told.replaceAll(/\n *"annotations": \{\},/g, '').replaceAll(name, 'NAME');
}

const revisionAnnotation = 'deployment.kubernetes.io/revision';

/** Addresses and ports that the API server chose stand for themselves; ports that were asked for, for their parity. */
function given(key: string, value: unknown, { nodePorts }: EssenceOptions): unknown {
  if (key === 'clusterIP') return value === 'None' ? value : undefined;
  if (key === 'clusterIPs') return undefined;
  if (key === 'healthCheckNodePort') return 'given';
  if (key === 'nodePort') return nodePorts.includes(Number(value)) ? `asked ${Number(value) % 2}` : 'given';
  return value;
}

function inOrder(value: unknown): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;
}

/** Where two essences differ, in words. */
export function differences(found: Essence, expected: Essence): string[] {
  const kinds = new Set([...Object.keys(found), ...Object.keys(expected)]);
  return [...kinds].flatMap((kind) => {
    const [is, due] = [found[kind], expected[kind]];
    if (is === due) return [];
    if (is === undefined) return [`there is no ${kind}`];
    if (due === undefined) return [`there is a ${kind}`];
    return [`${kind}: ${partsThatDiffer(JSON.parse(is), JSON.parse(due), '').slice(0, 5).join('; ')}`];
  });
}

function partsThatDiffer(is: unknown, due: unknown, path: string): string[] {
  if (JSON.stringify(is) === JSON.stringify(due)) return [];
  if (typeof is !== 'object' || typeof due !== 'object' || is === null || due === null) {
    return [`${path} is ${JSON.stringify(is)} and has to be ${JSON.stringify(due)}`];
  }
  const [a, b] = [is as Record<string, unknown>, due as Record<string, unknown>];
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  const parts = [...keys].flatMap((key) => partsThatDiffer(a[key], b[key], `${path}.${key}`));
  return parts.length > 0 ? parts : [`${path} is in another order`];
}
