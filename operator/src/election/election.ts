import { setTimeout as sleep } from 'node:timers/promises';
import { fieldManager } from '../api/labels.ts';
import type { KubeObject, ObjectKey } from '../api/object.ts';
import { ClusterError } from '../cluster/errors.ts';
import * as api from '../cluster/resource.ts';
import { idOf } from '../cluster/store.ts';
import type { Transport } from '../cluster/transport.ts';
import type { Log } from '../support/log.ts';
import { newLease, recordOf, releasing, renewing, type Sighting, seen, type Timing, taking, waitMs } from './lease.ts';

export interface ElectionOptions {
  /** One of its own: no other request keeps a renewal waiting. */
  readonly transport: Transport;
  readonly lease: ObjectKey;
  /** Of this process, and of no other that may run at the same time. */
  readonly identity: string;
  readonly timing: Timing;
  readonly log: Pick<Log, 'debug' | 'info' | 'warn'>;
  /** Called each time this process becomes the leader. */
  readonly onElected: () => void;
  /** Called each time it is the leader no longer, but for `stop`. `until` passed, or passes now. */
  readonly onLost: () => void;
}

/**
 * Sees to it that of several operators one at a time works: the holder of a Lease. It may write until `until`, and
 * everything that it sends has to respect that moment by itself: a process that was paused learns of nothing in time.
 */
export class Election {
  readonly #options: ElectionOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #sighting: Sighting | undefined;
  #leading = false;
  #until = Number.NEGATIVE_INFINITY;
  #deadline: NodeJS.Timeout | undefined;
  #lastComplaint = '';

  constructor(options: ElectionOptions) {
    this.#options = options;
  }

  /** Until when the leader may write without having renewed, on the clock of `performance.now`; in the past for all others. */
  get until(): number {
    return this.#until;
  }

  get isLeader(): boolean {
    return this.#leading && performance.now() < this.#until;
  }

  /** Stands for election, and goes on until `stop`. */
  start(): void {
    this.#running = this.#run();
  }

  /** Ends it. A leader gives the lease back, so call it when the work is over: the next one begins at once. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    clearTimeout(this.#deadline);
    const lease = this.#sighting?.lease;
    if (!this.isLeader || lease === undefined) return;
    this.#leading = false;
    this.#until = Number.NEGATIVE_INFINITY;
    try {
      await this.#patch(lease, releasing(lease, new Date()));
      this.#options.log.info(this.#keys, 'lease given back');
    } catch (error) {
      this.#options.log.warn({ ...this.#keys, reason: reasonOf(error) }, 'lease not given back, the next leader waits');
    }
  }

  get #keys() {
    return { lease: idOf(this.#options.lease), identity: this.#options.identity };
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      let ms: number;
      try {
        ms = await this.#turn();
        this.#lastComplaint = '';
      } catch (error) {
        ms = this.#options.timing.retryMs;
        this.#complain(error);
      }
      // Those who were started together do not go on together.
      await sleep(ms * (1 - Math.random() / 10), undefined, { signal }).catch(() => {});
    }
  }

  /** One look and at most one write. Gives the milliseconds until the next. */
  async #turn(): Promise<number> {
    const { timing, identity } = this.#options;
    if (this.#leading && !this.isLeader) this.#lose('the lease could not be renewed in time');
    if (this.#leading && this.#sighting?.lease !== undefined) {
      await this.#renew(this.#sighting.lease);
      return timing.retryMs;
    }
    this.#sighting = seen(this.#sighting, await this.#read(), performance.now(), timing);
    const wait = waitMs(this.#sighting, identity, performance.now());
    if (wait > 0) return Math.min(timing.retryMs, wait);
    await this.#take(this.#sighting);
    return timing.retryMs;
  }

  async #take(sighting: Sighting): Promise<void> {
    const { identity, timing, log, onElected } = this.#options;
    const begun = performance.now();
    // Should the answer get lost, the next look may find what was written here.
    this.#sighting = { ...sighting, holder: identity, trusted: true };
    const lease = await this.#writeNew(sighting.lease);
    if (lease === undefined || recordOf(lease, timing).holder !== identity) return;
    this.#leading = true;
    this.#extend(lease, begun);
    log.info(this.#keys, 'leading');
    onElected();
  }

  async #writeNew(lease: KubeObject | undefined): Promise<KubeObject | undefined> {
    const { lease: key, identity, timing, transport } = this.#options;
    if (lease !== undefined) return this.#patch(lease, taking(lease, identity, new Date(), timing));
    await api.post(transport, newLease(key, identity, new Date(), timing));
    return this.#read();
  }

  /** Keeps the lease. When somebody else changed it, the next turn decides about what is there then. */
  async #renew(lease: KubeObject): Promise<void> {
    const begun = performance.now();
    try {
      this.#extend(await this.#patch(lease, renewing(lease, new Date())), begun);
    } catch (error) {
      if (!(error instanceof ClusterError) || (error.kind !== 'conflict' && error.kind !== 'gone')) throw error;
      await this.#lookAgain();
    }
  }

  async #lookAgain(): Promise<void> {
    const { identity, timing } = this.#options;
    const lease = await this.#read();
    this.#sighting = seen(this.#sighting, lease, performance.now(), timing);
    if (lease === undefined) this.#lose('the lease was deleted');
    else if (recordOf(lease, timing).holder !== identity) this.#lose('somebody else holds the lease');
  }

  /** The lease is held from the moment at which the request was sent; unless it was given up while that was under way. */
  #extend(lease: KubeObject, begun: number): void {
    const { timing, identity } = this.#options;
    const { durationMs, renewDeadlineMs } = timing;
    this.#sighting = { lease, since: begun, holder: identity, durationMs, trusted: true };
    if (!this.#leading) return;
    this.#until = begun + renewDeadlineMs;
    clearTimeout(this.#deadline);
    const left = Math.max(0, this.#until - performance.now());
    this.#deadline = setTimeout(() => this.#lose('the lease could not be renewed in time'), left);
  }

  #lose(reason: string): void {
    if (!this.#leading) return;
    clearTimeout(this.#deadline);
    this.#leading = false;
    this.#until = Number.NEGATIVE_INFINITY;
    this.#options.log.warn({ ...this.#keys, reason }, 'leading no more');
    this.#options.onLost();
  }

  async #read(): Promise<KubeObject | undefined> {
    const { transport, lease } = this.#options;
    try {
      return await api.get(transport, { kind: api.leases.kind, ...lease });
    } catch (error) {
      if (error instanceof ClusterError && error.kind === 'gone') return undefined;
      throw error;
    }
  }

  #patch(lease: KubeObject, body: object): Promise<KubeObject> {
    return api.patch(this.#options.transport, lease, body, { fieldManager });
  }

  /** Warns once about the same trouble; that another one was faster is none. */
  #complain(error: unknown): void {
    const reason = reasonOf(error);
    const passing = error instanceof ClusterError && (error.kind === 'conflict' || error.kind === 'exists');
    const level = passing || reason === this.#lastComplaint ? 'debug' : 'warn';
    this.#lastComplaint = reason;
    const remedy =
      error instanceof ClusterError && error.kind === 'denied'
        ? "give the operator's ServiceAccount the verbs create, get and patch on leases of its namespace"
        : undefined;
    this.#options.log[level]({ ...this.#keys, reason, remedy }, 'lease not reached, trying again');
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
