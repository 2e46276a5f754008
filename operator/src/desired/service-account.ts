import type { Microservice } from '../api/microservice.generated.ts';
import type { Manifest } from '../api/object.ts';
import { childMetadata } from './metadata.ts';

/** The pods' own identity, without rights; whether they get a token is said in the pod. */
export function serviceAccount(ms: Microservice): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: childMetadata(ms, ms.spec.serviceAccount?.annotations),
    automountServiceAccountToken: false,
  };
}
