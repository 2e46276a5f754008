import type {
  V1DownwardAPIVolumeFile,
  V1KeyToPath,
  V1Volume,
  V1VolumeMount,
  V1VolumeProjection,
} from '@kubernetes/client-node';
import type {
  DownwardFile,
  EphemeralVolume,
  KeyItem,
  Microservice,
  ProjectedSource,
  Volume,
  VolumeMount,
} from '../api/microservice.generated.ts';

/** Names of the operator's own volumes; the schema keeps others from taking them. */
const tmpVolume = 'platform-tmp';
const configVolume = 'platform-config';

/** Permissions of files, unless the Microservice says otherwise: 0644. */
const fileMode = 0o644;

/**
 * The volumes of the pod. What Kubernetes would fill in is stated: a default that nobody stated stays behind when the
 * volume becomes one of another kind, and the API server refuses a volume of two kinds.
 */
export function volumes(ms: Microservice): V1Volume[] {
  const { config, volumes: asked = [] } = ms.spec;
  return [
    { name: tmpVolume, emptyDir: {} },
    ...(config?.mountPath === undefined
      ? []
      : [{ name: configVolume, configMap: { name: ms.metadata.name, defaultMode: fileMode } }]),
    ...asked.map((one) => volume(ms, one)),
  ];
}

/** The mounts of a container. The root filesystem is read-only, and many programs expect to write to /tmp. */
export function mounts(asked: readonly VolumeMount[]): V1VolumeMount[] {
  const hasTmp = asked.some(({ mountPath }) => mountPath === '/tmp');
  return [...(hasTmp ? [] : [{ name: tmpVolume, mountPath: '/tmp' }]), ...asked.map((mount) => ({ ...mount }))];
}

/** Where the files of `config` are found. */
export function configMount({ spec: { config } }: Microservice): VolumeMount[] {
  return config?.mountPath === undefined ? [] : [{ name: configVolume, mountPath: config.mountPath, readOnly: true }];
}

function volume(ms: Microservice, asked: Volume): V1Volume {
  const { name, configMap, secret, emptyDir, persistentVolumeClaim, ephemeral, projected, downwardAPI } = asked;
  if (configMap) return { name, configMap: { name: configMap.name, ...files(configMap) } };
  if (secret) return { name, secret: { secretName: secret.secretName, ...files(secret) } };
  if (persistentVolumeClaim) return { name, persistentVolumeClaim: { ...persistentVolumeClaim } };
  if (ephemeral) return { name, ephemeral: { volumeClaimTemplate: claim(ephemeral) } };
  if (projected) {
    const { defaultMode = fileMode, sources } = projected;
    return { name, projected: { defaultMode, sources: sources.map((source) => projection(ms, source)) } };
  }
  if (downwardAPI) {
    const { defaultMode = fileMode, items } = downwardAPI;
    return { name, downwardAPI: { defaultMode, items: items.map((item) => downwardFile(ms, item)) } };
  }
  const { medium, sizeLimit } = emptyDir ?? {};
  return {
    name,
    emptyDir: { ...(medium && { medium }), ...(sizeLimit !== undefined && { sizeLimit: String(sizeLimit) }) },
  };
}

interface Keys {
  readonly items?: readonly KeyItem[];
  readonly optional?: boolean;
}

function files({ defaultMode = fileMode, ...asked }: Keys & { readonly defaultMode?: number }) {
  return { defaultMode, ...keys(asked) };
}

function keys({ items, optional }: Keys): { items?: V1KeyToPath[]; optional?: boolean } {
  return {
    ...(items?.length && { items: items.map((item) => ({ ...item })) }),
    ...(optional !== undefined && { optional }),
  };
}

function projection(
  ms: Microservice,
  { configMap, secret, downwardAPI, serviceAccountToken }: ProjectedSource,
): V1VolumeProjection {
  return {
    ...(configMap && { configMap: { name: configMap.name, ...keys(configMap) } }),
    ...(secret && { secret: { name: secret.name, ...keys(secret) } }),
    ...(downwardAPI && { downwardAPI: { items: downwardAPI.items.map((item) => downwardFile(ms, item)) } }),
    ...(serviceAccountToken && { serviceAccountToken: { expirationSeconds: 3600, ...serviceAccountToken } }),
  };
}

/** A file has to name the container that it speaks of, if it is the service's own too. */
function downwardFile(
  { metadata }: Microservice,
  { path, mode, fieldRef, resourceFieldRef }: DownwardFile,
): V1DownwardAPIVolumeFile {
  return {
    path,
    ...(mode !== undefined && { mode }),
    ...(fieldRef && { fieldRef: { apiVersion: 'v1', fieldPath: fieldRef.fieldPath } }),
    ...(resourceFieldRef && { resourceFieldRef: { containerName: metadata.name, ...resourceFieldRef, divisor: '1' } }),
  };
}

function claim({ volumeClaimTemplate: { spec } }: EphemeralVolume) {
  const { accessModes = ['ReadWriteOnce'], storageClassName, resources } = spec;
  return {
    spec: {
      accessModes: [...accessModes],
      volumeMode: 'Filesystem',
      ...(storageClassName && { storageClassName }),
      resources: { requests: { storage: String(resources.requests.storage) } },
    },
  };
}
