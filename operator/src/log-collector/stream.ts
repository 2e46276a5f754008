import { microserviceLabel } from '../api/labels.ts';
import type { KubeObject } from '../api/object.ts';

/** The labels of a stream of Loki. */
export type Stream = Readonly<Record<'namespace' | 'service' | 'pod', string>> & { readonly container?: string };

/** What lines of a container of a pod are found by. The container is named where it is not the one of the service itself. */
export function streamOf({ metadata }: KubeObject, container: string): Stream {
  const service = metadata.labels?.[microserviceLabel] ?? '';
  const stream = { namespace: metadata.namespace, service, pod: metadata.name };
  return container === service ? stream : { ...stream, container };
}
