import { managedBy, managedByLabel, microserviceLabel, nameLabel } from '../api/labels.ts';
import type { Microservice } from '../api/microservice.generated.ts';
import type { ObjectMeta } from '../api/object.ts';

/** What marks a pod as one of this Microservice, and nothing else: the selector of a Deployment can never change. */
export function selectorLabels(ms: Microservice): Readonly<Record<string, string>> {
  return { [microserviceLabel]: ms.metadata.name };
}

/** The same as `kubectl -l` takes it. */
export function selectorText(ms: Microservice): string {
  return Object.entries(selectorLabels(ms))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

/** The labels of every child and of every pod. */
export function childLabels(ms: Microservice): Readonly<Record<string, string>> {
  return { [nameLabel]: ms.metadata.name, [managedByLabel]: managedBy, ...selectorLabels(ms) };
}

/**
 * Name, labels and owner of a child. The owner reference lets the garbage collector remove the child with its
 * Microservice; `blockOwnerDeletion` is left out, because setting it takes rights on finalizers.
 */
export function childMetadata(ms: Microservice, annotations?: Readonly<Record<string, string>>): ObjectMeta {
  const { name, namespace, uid } = ms.metadata;
  return {
    name,
    namespace,
    labels: childLabels(ms),
    ...(annotations && { annotations }),
    ownerReferences: [{ apiVersion: ms.apiVersion, kind: ms.kind, name, uid: uid ?? '', controller: true }],
  };
}
