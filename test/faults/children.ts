import { type ChildKind, childKinds } from '../../operator/src/api/kinds.ts';
import { subject } from './world.ts';

/** Where the child of that kind is. */
export function childPath(kind: ChildKind, namespace: string): string {
  return `${collectionPath(kind, namespace)}/${subject}`;
}

export function collectionPath(kind: ChildKind, namespace: string): string {
  const known = childKinds.find((each) => each.kind === kind);
  if (known === undefined) throw new Error(`no child is of kind ${kind}`);
  const { apiVersion, plural } = known;
  return `/${apiVersion.includes('/') ? 'apis' : 'api'}/${apiVersion}/namespaces/${namespace}/${plural}`;
}

/** For each kind of child an edit of a field that is the operator's, as somebody would do by hand. */
export const edits: Readonly<Record<ChildKind, object>> = {
  Deployment: { spec: { minReadySeconds: 7 } },
  Service: { spec: { sessionAffinity: 'ClientIP' } },
  PodDisruptionBudget: { spec: { maxUnavailable: 7 } },
  ServiceAccount: { automountServiceAccountToken: true },
  ConfigMap: { data: { GREETING: 'edited' } },
  HorizontalPodAutoscaler: { spec: { maxReplicas: 9 } },
};

export function kindOf(name: string): ChildKind {
  const found = childKinds.find(({ kind }) => kind === name);
  if (found === undefined) throw new Error(`no child is of kind ${name}`);
  return found.kind;
}
