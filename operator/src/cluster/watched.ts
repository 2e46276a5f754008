import type { KubeObject, ObjectKey } from '../api/object.ts';
import type { Reflector } from './reflector.ts';
import type { Store } from './store.ts';

/** What is known of a kind in one namespace, or in all of them, and who keeps that up to date. */
export interface Part {
  readonly store: Store;
  readonly reflector: Reflector;
}

/** A kind that is watched, by one watch for all namespaces or by one for each of some. Reads cost no request. */
export class Watched {
  /** By namespace; the only one under `undefined` is that of all namespaces. */
  readonly #parts: ReadonlyMap<string | undefined, Part>;

  constructor(parts: ReadonlyMap<string | undefined, Part>) {
    this.#parts = parts;
  }

  start(): void {
    for (const { reflector } of this.#parts.values()) reflector.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#each(({ reflector }) => reflector.stop()));
  }

  /** Resolves when memory is complete for the first time. */
  async firstSync(): Promise<void> {
    await Promise.all(this.#each(({ reflector }) => reflector.firstSync));
  }

  get synced(): boolean {
    return this.#each(({ reflector }) => reflector.synced).every(Boolean);
  }

  /** Milliseconds since anything happened on the watch that was quiet for longest. */
  get idleMs(): number {
    return Math.max(...this.#each(({ reflector }) => reflector.idleMs));
  }

  get(key: ObjectKey): KubeObject | undefined {
    return this.#part(key)?.store.get(key);
  }

  /** The objects whose label names that Microservice. */
  of(microservice: ObjectKey): readonly KubeObject[] {
    return this.#part(microservice)?.store.of(microservice) ?? [];
  }

  all(): readonly KubeObject[] {
    return this.#each(({ store }) => [...store.all()]).flat();
  }

  /** Whether memory shows every change in that namespace up to that resourceVersion; false where it shows nothing at all. */
  hasSeen({ namespace }: Pick<ObjectKey, 'namespace'>, resourceVersion: string): boolean {
    return this.#part({ namespace })?.reflector.hasSeen(resourceVersion) ?? false;
  }

  #part({ namespace }: Pick<ObjectKey, 'namespace'>): Part | undefined {
    return this.#parts.get(namespace) ?? this.#parts.get(undefined);
  }

  #each<T>(get: (part: Part) => T): T[] {
    return [...this.#parts.values()].map(get);
  }
}
