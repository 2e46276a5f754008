import type { KubeObject } from '../api/object.ts';
import { type Cause, type Finding, shortened } from './cause.ts';
import { pullFault } from './image-pull.ts';
import { lastWords } from './last-words.ts';
import { type ContainerStatus, elapsedMs, podCondition, type Terminated, type Waiting } from './pod-status.ts';

/** A pull that fails for no lasting reason counts as lasting after this: registries have short faults. */
const pullPatienceMs = 60_000;
/** A container that came up so lately may be about to become ready. */
const probePatienceMs = 30_000;
/** A container that was started anew so lately, and is not ready, is one that crashed. */
const crashMemoryMs = 60_000;

/** What the probes of a container do, in words. */
export interface ProbeWords {
  readonly readiness: string | undefined;
  readonly startup: string | undefined;
}

/** One container, in one pod, at one time. */
interface Place {
  readonly pod: KubeObject;
  readonly container: ContainerStatus;
  /** It runs to its end before the service starts; all others, sidecars too, run as long as the pod. */
  readonly isInit: boolean;
  readonly probes: ProbeWords;
  /** The rollout has taken too long: no more time is given. */
  readonly isLate: boolean;
  readonly now: Date;
}

/** Why a container keeps its pod from being ready. */
export function containerCause(place: Place): Finding {
  const { container, isInit } = place;
  const { waiting, running, terminated } = container.state ?? {};
  if (terminated) return isInit && terminated.exitCode === 0 ? {} : { cause: crash(place, terminated) };
  if (waiting) return whileWaiting(place, waiting);
  if (running && isInit) return whileInitializing(place, running.startedAt);
  if (running && container.ready === false) return whileRunning(place, running.startedAt);
  return {};
}

function whileWaiting(place: Place, { reason = '', message = '' }: Waiting): Finding {
  switch (reason) {
    case 'InvalidImageName':
    case 'ErrImageNeverPull':
    case 'ErrImagePull':
    case 'ImagePullBackOff':
    case 'ImageInspectError':
    case 'RegistryUnavailable':
    case 'SignatureValidationFailed':
      return pullFailure(place, reason, message);
    case 'CreateContainerConfigError':
      return { cause: configFault(place, message) };
    case 'CreateContainerError':
    case 'RunContainerError':
      return { cause: startFault(place, message) };
    case 'CrashLoopBackOff':
      return { cause: crash(place, place.container.lastState?.terminated) };
    default:
      return {}; // ContainerCreating, PodInitializing: on its way
  }
}

function pullFailure(place: Place, reason: string, message: string): Finding {
  const { pod, container, now } = place;
  const { what, remedy, permanent } = pullFault(container.image ?? '', reason, message);
  const patienceMs = pullPatienceMs - elapsedMs(pod.metadata.creationTimestamp, now);
  return {
    cause: {
      reason: 'ImagePullFailed',
      what,
      where: where(place),
      remedy,
      permanent: permanent || patienceMs <= 0,
    },
    ...(!permanent && patienceMs > 0 && { lookAgainMs: patienceMs }),
  };
}

function configFault(place: Place, message: string): Cause {
  const missing = /^(secret|configmap) "[^"]+" not found|in (Secret|ConfigMap) \S+/i.exec(message);
  if (missing) {
    const kind = (missing[1] ?? missing[2])?.toLowerCase() === 'secret' ? 'Secret' : 'ConfigMap';
    return {
      reason: `${kind}Missing`,
      what: shortened(message),
      where: where(place),
      remedy: `create the ${kind} or the key in it, or correct the reference in spec.env or spec.envFrom`,
      permanent: false,
    };
  }
  if (/runAsNonRoot/.test(message)) {
    return {
      reason: 'ContainerFailed',
      what: 'the image runs as root, or as a user without a number, and pods may not',
      where: where(place),
      remedy: 'give the image a USER with a number other than 0',
      permanent: true,
    };
  }
  return {
    reason: 'ContainerFailed',
    what: `the container cannot be created: ${shortened(message)}`,
    where: where(place),
    remedy: `see \`${describe(place)}\``,
    permanent: false,
  };
}

function startFault(place: Place, message: string): Cause {
  const exec = /exec: "[^"]*": [^:]*/.exec(message)?.[0];
  return {
    reason: 'ContainerFailed',
    what: `the container cannot be started: ${shortened(exec ?? message)}`,
    where: where(place),
    remedy: 'check command and args in spec, and the entrypoint of the image',
    permanent: false,
  };
}

function crash(place: Place, ended: Terminated | undefined): Cause {
  if (ended?.reason === 'StartError' || ended?.reason === 'ContainerCannotRun') {
    return startFault(place, ended.message ?? '');
  }
  if (ended?.reason === 'OOMKilled') {
    return {
      reason: 'OutOfMemory',
      what: 'the container used more memory than its limit and was killed',
      where: where(place),
      remedy: 'raise resources.limits.memory, or make the process use less',
      permanent: false,
    };
  }
  const words = lastWords(ended?.message ?? '');
  const code = ended === undefined ? '' : ` with exit code ${ended.exitCode}`;
  return {
    reason: 'CrashLoop',
    what: `the process ended${code}${words === '' ? '' : `: ${words}`}`,
    where: where(place),
    remedy: crashRemedy(place, ended?.exitCode),
    permanent: false,
  };
}

function crashRemedy({ pod, container }: Place, exitCode: number | undefined): string {
  const { name, namespace } = pod.metadata;
  const logs = `\`kubectl logs ${name} -n ${namespace} -c ${container.name} --previous\``;
  if (exitCode === 0) return `a service has to keep running: check command and args, and see ${logs}`;
  if (exitCode === 137) return `it was killed: check its liveness probe and its memory, and see ${logs}`;
  return `see ${logs}`;
}

/** A container that runs and is not ready: it crashed a moment ago, or it does not pass a probe, or it just needs time. */
function whileRunning(place: Place, startedAt: string | undefined): Finding {
  const { pod, container, now } = place;
  const runningMs = elapsedMs(startedAt, now);
  const ended = container.lastState?.terminated;
  if (ended && runningMs < crashMemoryMs) {
    return { cause: crash(place, ended), lookAgainMs: crashMemoryMs - runningMs };
  }
  const unreadyMs = elapsedMs(podCondition(pod, 'Ready')?.lastTransitionTime, now);
  const wasReady = container.started === true && unreadyMs < runningMs - 1000;
  if (!wasReady && !place.isLate && runningMs < probePatienceMs) return { lookAgainMs: probePatienceMs - runningMs };
  return { cause: probeFailure(place) };
}

function whileInitializing(place: Place, startedAt: string | undefined): Finding {
  const runningMs = elapsedMs(startedAt, place.now);
  if (!place.isLate && runningMs < probePatienceMs) return { lookAgainMs: probePatienceMs - runningMs };
  const { name, namespace } = place.pod.metadata;
  return {
    cause: {
      reason: 'InitRunning',
      what: 'the service starts when this container has ended, and it still runs',
      where: where(place),
      remedy: `see \`kubectl logs ${name} -n ${namespace} -c ${place.container.name}\``,
      permanent: false,
    },
  };
}

function probeFailure(place: Place): Cause {
  const probe = place.container.started ? 'readiness' : 'startup';
  const words = place.probes[probe];
  return {
    reason: 'ProbeFailing',
    what: `the process runs and does not pass its ${probe} probe${words === undefined ? '' : ` (${words})`}`,
    where: where(place),
    remedy: `check that it answers there; the last failure is in \`${describe(place)}\``,
    permanent: false,
  };
}

function describe({ pod }: Place): string {
  return `kubectl describe pod ${pod.metadata.name} -n ${pod.metadata.namespace}`;
}

function where({ pod, container }: Place): string {
  return `pod ${pod.metadata.namespace}/${pod.metadata.name}, container ${container.name}`;
}
