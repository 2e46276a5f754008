import type { V1EnvFromSource, V1EnvVar, V1EnvVarSource } from '@kubernetes/client-node';
import type { EnvFromSource, EnvVar, EnvVarSource, Microservice } from '../api/microservice.generated.ts';

/** The variables of the container, in the order given: a later one may use an earlier one. */
export function environment(env: readonly EnvVar[]): V1EnvVar[] {
  return env.map(({ name, value, valueFrom }) =>
    valueFrom ? { name, valueFrom: sourceOf(valueFrom) } : { name, value: value ?? '' },
  );
}

export function environmentSources(envFrom: readonly EnvFromSource[]): V1EnvFromSource[] {
  return envFrom.map(({ prefix, configMapRef, secretRef }) => ({
    ...(prefix && { prefix }),
    ...(configMapRef && { configMapRef: withoutOnChange(configMapRef) }),
    ...(secretRef && { secretRef: withoutOnChange(secretRef) }),
  }));
}

/** The variables of `config`; first of all sources, so that every other one wins over it. */
export function configSource({ metadata, spec: { config } }: Microservice): V1EnvFromSource[] {
  return config === undefined || config.mountPath !== undefined ? [] : [{ configMapRef: { name: metadata.name } }];
}

function sourceOf({ secretKeyRef, configMapKeyRef, fieldRef, resourceFieldRef }: EnvVarSource): V1EnvVarSource {
  return {
    ...(secretKeyRef && { secretKeyRef: withoutOnChange(secretKeyRef) }),
    ...(configMapKeyRef && { configMapKeyRef: withoutOnChange(configMapKeyRef) }),
    ...(fieldRef && { fieldRef: { apiVersion: 'v1', fieldPath: fieldRef.fieldPath } }),
    ...(resourceFieldRef && {
      resourceFieldRef: {
        resource: resourceFieldRef.resource,
        divisor: String(resourceFieldRef.divisor ?? 1),
      },
    }),
  };
}

/** The part of a reference that Kubernetes knows. */
function withoutOnChange<T extends { readonly onChange?: unknown }>(reference: T): Omit<T, 'onChange'> {
  const { onChange: _, ...known } = reference;
  return known;
}
