import type { Microservice } from '../../operator/src/api/microservice.generated.ts';
import type { KubeObject, ObjectKey } from '../../operator/src/api/object.ts';
import { microservice } from '../support/engine.ts';

/** The Microservice that everything is measured with: five children come of it, as many as the peer makes. */
export function benchMicroservice(key: ObjectKey, image = 'example.test/bench:1.0.0'): Microservice {
  return microservice(key, {
    image,
    ports: [{ name: 'http', containerPort: 8080, servicePort: 80 }],
    env: [
      { name: 'LOG_LEVEL', value: 'info' },
      { name: 'REGION', value: 'north' },
    ],
    resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } },
    autoscaling: { minReplicas: 1, maxReplicas: 3, cpu: 70 },
  }) as Microservice;
}

/** The image of the first container of a Deployment. */
export function imageOf({ spec }: KubeObject): string | undefined {
  const { template } = spec as {
    readonly template: { readonly spec: { readonly containers: readonly { readonly image?: string }[] } };
  };
  return template.spec.containers[0]?.image;
}
