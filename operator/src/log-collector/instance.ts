import type { KubeObject } from '../api/object.ts';

/** One run of a container: what a restart begins anew. */
export interface Instance {
  readonly container: string;
  readonly id: string;
  /** Whether it is asked for as the one before the one that runs. */
  readonly previous: boolean;
  /** When it ended, as the node says to the second; undefined while it runs. */
  readonly endedAt: Date | undefined;
}

interface State {
  readonly running?: object;
  readonly terminated?: { readonly containerID?: string; readonly finishedAt?: string };
}

interface ContainerStatus {
  readonly name: string;
  readonly containerID?: string;
  readonly state?: State;
  readonly lastState?: State;
}

/** The runs of the containers of a pod whose logs its node still has, the older first. */
export function instancesOf({ status }: KubeObject): readonly Instance[] {
  const { initContainerStatuses = [], containerStatuses = [] } = (status ?? {}) as {
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
  return [...initContainerStatuses, ...containerStatuses].flatMap(runsOf);
}

function runsOf({ name, containerID, state = {}, lastState = {} }: ContainerStatus): Instance[] {
  const last = ended(name, lastState, true);
  const current: Instance | undefined =
    state.running && containerID
      ? { container: name, id: containerID, previous: false, endedAt: undefined }
      : ended(name, state, false);
  // A container that waits for its next run has only one behind it, and that is the one the node shows.
  if (current === undefined) return last ? [{ ...last, previous: false }] : [];
  return last === undefined || last.id === current.id ? [current] : [last, current];
}

function ended(container: string, { terminated }: State, previous: boolean): Instance | undefined {
  if (!terminated?.containerID) return undefined;
  return { container, id: terminated.containerID, previous, endedAt: new Date(terminated.finishedAt ?? 0) };
}
