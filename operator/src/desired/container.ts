import type {
  V1Container,
  V1EnvVar,
  V1Probe,
  V1ResourceRequirements,
  V1SecurityContext,
} from '@kubernetes/client-node';
import type {
  InitContainer,
  Microservice,
  MicroserviceSpec,
  Resources,
  SecurityContext,
  VolumeMount,
} from '../api/microservice.generated.ts';
import { configSource, environment, environmentSources } from './environment.ts';
import { probeOf, sidecarProbe } from './probes.ts';
import { tracingVariables } from './tracing.ts';
import { configMount, mounts } from './volumes.ts';

/** Between the order to stop and SIGTERM, so that traffic has moved away before the process stops listening. */
const drainSeconds = 5;

/** The container of the service itself. */
export function serviceContainer(ms: Microservice, collector?: string): V1Container {
  const { ports, shutdown, env = [], envFrom = [], volumeMounts = [] } = ms.spec;
  const [readinessProbe, livenessProbe, startupProbe] = (['readiness', 'liveness', 'startup'] as const).map((name) =>
    probeOf(ms, name),
  );
  const seconds = shutdown?.drainSeconds ?? drainSeconds;
  return {
    ...container(ms.metadata.name, ms.spec, {
      env: [...environment(env), ...tracingVariables(ms, collector)],
      envFrom: [...configSource(ms), ...environmentSources(envFrom)],
      volumeMounts: [...configMount(ms), ...volumeMounts],
    }),
    ...(ports?.length && {
      ports: ports.map(({ name, containerPort, protocol = 'TCP' }) => ({ name, containerPort, protocol })),
    }),
    ...probes({ readinessProbe, livenessProbe, startupProbe }),
    ...(seconds > 0 && { lifecycle: { preStop: { sleep: { seconds } } } }),
  };
}

/** A container before that of the service: one that runs to its end, or a sidecar. */
export function initContainer(asked: InitContainer): V1Container {
  const { name, restartPolicy, probes: of = {}, env = [], envFrom = [], volumeMounts = [] } = asked;
  return {
    ...container(name, asked, { env: environment(env), envFrom: environmentSources(envFrom), volumeMounts }),
    ...(restartPolicy && { restartPolicy }),
    ...probes({
      readinessProbe: sidecarProbe(of, 'readiness'),
      livenessProbe: sidecarProbe(of, 'liveness'),
      startupProbe: sidecarProbe(of, 'startup'),
    }),
  };
}

/** What both have in common, and how. */
type Common = Pick<
  MicroserviceSpec & InitContainer,
  'image' | 'imagePullPolicy' | 'command' | 'args' | 'resources' | 'securityContext'
>;

/** The fields of a class, as a plain object that can be spread. */
type Fields<T> = Pick<T, keyof T>;

interface Sources {
  readonly env: readonly V1EnvVar[];
  readonly envFrom: NonNullable<V1Container['envFrom']>;
  readonly volumeMounts: readonly VolumeMount[];
}

function container(name: string, asked: Common, { env, envFrom, volumeMounts }: Sources): Fields<V1Container> {
  const { image, imagePullPolicy = 'IfNotPresent', command, args, resources } = asked;
  return {
    name,
    image,
    imagePullPolicy,
    ...(command?.length && { command: [...command] }),
    ...(args?.length && { args: [...args] }),
    ...(env.length > 0 && { env: [...env] }),
    ...(envFrom.length > 0 && { envFrom }),
    ...(resources && { resources: requirements(resources) }),
    // No right to read logs is needed to know the last words of a process.
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: securityContext(asked.securityContext),
    volumeMounts: mounts(volumeMounts),
  };
}

function probes(all: Readonly<Record<string, V1Probe | undefined>>): Pick<V1Container, 'readinessProbe'> {
  return Object.fromEntries(Object.entries(all).filter(([, probe]) => probe !== undefined));
}

/** What was asked for, within what is never given. */
function securityContext({ capabilities, ...asked }: SecurityContext = {}): V1SecurityContext {
  return {
    readOnlyRootFilesystem: true,
    ...asked,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'], ...(capabilities?.add.length && { add: [...capabilities.add] }) },
  };
}

/** Amounts as text, so that 1 and "1" are the same. */
function requirements({ requests = {}, limits = {} }: Resources): V1ResourceRequirements {
  const asText = (amounts: Readonly<Record<string, number | string>>) =>
    Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, String(amount)]));
  return {
    ...(Object.keys(requests).length > 0 && { requests: asText(requests) }),
    ...(Object.keys(limits).length > 0 && { limits: asText(limits) }),
  };
}
