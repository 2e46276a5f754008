import type { V1PodDNSConfig, V1PodSecurityContext, V1PodSpec } from '@kubernetes/client-node';
import type { Microservice, PodSecurityContext } from '../api/microservice.generated.ts';
import { initContainer, serviceContainer } from './container.ts';
import { copyOf, stated } from './copy.ts';
import { scheduling } from './scheduling.ts';
import { volumes } from './volumes.ts';

/** Between the order to stop and SIGKILL, unless the Microservice says otherwise. */
const graceSeconds = 30;

/** A pod that passes Pod Security `restricted`. Which user it runs as is the image's to say, as long as it is not root. */
export function podSpec(ms: Microservice, collector?: string): V1PodSpec {
  const { spec } = ms;
  const { imagePullSecrets, initContainers, serviceAccount, shutdown, dnsPolicy, dnsConfig, hostAliases } = spec;
  return {
    serviceAccountName: serviceAccountName(ms),
    automountServiceAccountToken: serviceAccount?.automountToken ?? false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: shutdown?.gracePeriodSeconds ?? graceSeconds,
    securityContext: podSecurityContext(spec.podSecurityContext),
    ...scheduling(ms),
    ...(imagePullSecrets?.length && { imagePullSecrets: imagePullSecrets.map(({ name }) => ({ name })) }),
    ...(dnsPolicy && { dnsPolicy }),
    ...stated('dnsConfig', dnsConfig && copyOf<V1PodDNSConfig>(dnsConfig)),
    ...(hostAliases?.length && {
      hostAliases: hostAliases.map(({ ip, hostnames }) => ({ ip, hostnames: [...hostnames] })),
    }),
    ...(initContainers?.length && { initContainers: initContainers.map(initContainer) }),
    containers: [serviceContainer(ms, collector)],
    volumes: volumes(ms),
  };
}

/** The ServiceAccount of the pods: one that is named, or their own. */
function serviceAccountName({ metadata, spec }: Microservice): string {
  return spec.serviceAccount?.name ?? metadata.name;
}

function podSecurityContext({ seccompProfile, ...asked }: PodSecurityContext = {}): V1PodSecurityContext {
  return {
    ...copyOf<Pick<V1PodSecurityContext, keyof V1PodSecurityContext>>(asked),
    runAsNonRoot: true,
    seccompProfile: { ...(seccompProfile ?? { type: 'RuntimeDefault' }) },
  };
}
