import type { V1EnvFromSource, V1EnvVar, V1EnvVarSource } from '@kubernetes/client-node';
import type { EnvFromSource, EnvVar, EnvVarSource } from '../api/microservice.generated.ts';

/** The variables of the container, in the order given: a later one may use an earlier one. */
export function environment(env: readonly EnvVar[]): V1EnvVar[] {
  return env.map(({ name, value, valueFrom }) =>
    valueFrom ? { name, valueFrom: sourceOf(valueFrom) } : { name, value: value ?? '' },
  );
}

export function environmentSources(envFrom: readonly EnvFromSource[]): V1EnvFromSource[] {
  return envFrom.map(({ prefix, configMapRef, secretRef }) => ({
    ...(prefix && { prefix }),
    ...(configMapRef && { configMapRef: { ...configMapRef } }),
    ...(secretRef && { secretRef: { ...secretRef } }),
  }));
}

function sourceOf({ secretKeyRef, configMapKeyRef, fieldRef, resourceFieldRef }: EnvVarSource): V1EnvVarSource {
  return {
    ...(secretKeyRef && { secretKeyRef: { ...secretKeyRef } }),
    ...(configMapKeyRef && { configMapKeyRef: { ...configMapKeyRef } }),
    ...(fieldRef && { fieldRef: { apiVersion: 'v1', fieldPath: fieldRef.fieldPath } }),
    ...(resourceFieldRef && {
      resourceFieldRef: {
        resource: resourceFieldRef.resource,
        divisor: String(resourceFieldRef.divisor ?? 1),
      },
    }),
  };
}
