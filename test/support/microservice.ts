import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Schema } from '../../operator/generate.ts';
import { schemaOf } from '../../operator/generate.ts';
import type {
  Microservice,
  MicroserviceSpec,
  MicroserviceStatus,
} from '../../operator/src/api/microservice.generated.ts';
import type { ObjectMeta } from '../../operator/src/api/object.ts';

export const definitionPath = join(import.meta.dirname, '../../crds/microservice-platform.io_microservices.yaml');

/** The schema of the Microservice, as it is in crds/. */
export function microserviceSchema(): Schema {
  return schemaOf(readFileSync(definitionPath, 'utf8'));
}

interface Parts {
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec?: Partial<MicroserviceSpec>;
  readonly status?: MicroserviceStatus;
}

/** A Microservice as the API server would show it: valid by default, altered by the test. */
export function microservice({ metadata, spec, status }: Parts = {}): Microservice {
  return {
    apiVersion: 'microservice-platform.io/v1alpha1',
    kind: 'Microservice',
    metadata: { name: 'orders', namespace: 'shop', uid: 'uid-of-orders', generation: 1, ...metadata },
    spec: {
      image: 'ghcr.io/acme/orders:1.4.2',
      replicas: 2,
      ports: [{ name: 'http', containerPort: 8080, servicePort: 80 }],
      ...spec,
    },
    status: status ?? { observedGeneration: -1 },
  };
}
