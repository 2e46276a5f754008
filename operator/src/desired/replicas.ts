import type { Autoscaling, Microservice } from '../api/microservice.generated.ts';

/** The autoscaler that is at work; none while the service is suspended. */
export function autoscalingOf({ spec }: Microservice): Autoscaling | undefined {
  return spec.suspend ? undefined : spec.autoscaling;
}

/** The number of pods that the spec asks for, where no autoscaler chooses it. */
export function replicasOf({ spec }: Microservice): number {
  return spec.suspend ? 0 : spec.replicas;
}

/** The number of pods that an autoscaler never goes below. */
export function fewestReplicas({ minReplicas = 1 }: Autoscaling): number {
  return minReplicas;
}
