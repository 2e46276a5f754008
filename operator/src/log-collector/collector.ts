import type { KubeObject, ObjectKey } from '../api/object.ts';
import type { LogOptions } from '../cluster/resource.ts';
import type { Change } from '../cluster/store.ts';
import type { Log } from '../support/log.ts';
import type { Backlog } from './backlog.ts';
import { Follower } from './follower.ts';
import { type Instance, instancesOf } from './instance.ts';
import type { Position } from './position.ts';
import { type Stream, streamOf } from './stream.ts';

export interface CollectorOptions {
  readonly backlog: Backlog;
  /** Lines from before are not read. */
  readonly since: Date;
  /** How far the log was read before, as far as somebody knows. */
  readonly resume: (stream: Stream, signal: AbortSignal) => Promise<Position>;
  readonly open: (pod: ObjectKey, options: LogOptions) => Promise<AsyncIterable<Buffer>>;
  readonly log: Log;
  readonly onLines: (read: number, cut: number) => void;
  readonly onStranger: () => void;
  readonly onMissed: () => void;
}

/** Follows every container of every pod that it is told of. */
export class Collector {
  readonly #options: CollectorOptions;
  /** By pod, the uid of it, and container. */
  readonly #pods = new Map<string, Map<string, Follower>>();
  readonly #finishing = new Set<Follower>();
  #open = 0;
  #stopped = false;

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  /** How many logs are being read. */
  get open(): number {
    return this.#open;
  }

  /** How many containers are followed, those of pods that are gone included. */
  get followed(): number {
    return [...this.#pods.values()].reduce((sum, { size }) => sum + size, this.#finishing.size);
  }

  /** A pod came, changed or went. */
  receive({ before, after }: Change): void {
    if (this.#stopped) return;
    const [old, now] = [before?.metadata.uid, after?.metadata.uid];
    if (old !== undefined && old !== now) this.#forget(old);
    if (after === undefined || now === undefined) return;
    const runs = Map.groupBy(instancesOf(after), ({ container }: Instance) => container);
    for (const [container, instances] of runs) this.#follower(after, now, container).update(instances);
  }

  /** Ends all reading. What was read is in the backlog. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const all = [...[...this.#pods.values()].flatMap((pod) => [...pod.values()]), ...this.#finishing];
    await Promise.all(all.map((follower) => follower.stop()));
  }

  #forget(uid: string): void {
    for (const follower of this.#pods.get(uid)?.values() ?? []) {
      this.#finishing.add(follower);
      follower.finish();
    }
    this.#pods.delete(uid);
  }

  #follower(pod: KubeObject, uid: string, container: string): Follower {
    const followers = this.#pods.get(uid) ?? new Map<string, Follower>();
    this.#pods.set(uid, followers);
    const known = followers.get(container);
    if (known !== undefined) return known;
    const follower = this.#newFollower(pod, container);
    followers.set(container, follower);
    void follower.start().finally(() => this.#finishing.delete(follower));
    return follower;
  }

  #newFollower(pod: KubeObject, container: string): Follower {
    const { backlog, since, resume, open, log, onLines, onStranger, onMissed } = this.#options;
    const { namespace, name } = pod.metadata;
    const stream = streamOf(pod, container);
    return new Follower({
      name: `${namespace}/${name}/${container}`,
      since,
      resume: (signal) => resume(stream, signal),
      open: (options) => open({ namespace, name }, options),
      put: async (entries, signal) => {
        onLines(entries.length, entries.filter(({ isCut }) => isCut).length);
        await backlog.put(stream, entries, signal);
      },
      log,
      onOpen: () => {
        this.#open += 1;
      },
      onClose: () => {
        this.#open -= 1;
      },
      onStranger,
      onMissed,
    });
  }
}
