import type { Config, Microservice } from '../api/microservice.generated.ts';
import type { Manifest } from '../api/object.ts';
import { childMetadata } from './metadata.ts';

/** The ConfigMap of `spec.config`. */
export function configMap(ms: Microservice, { data }: Config): Manifest {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: childMetadata(ms), data: { ...data } };
}
