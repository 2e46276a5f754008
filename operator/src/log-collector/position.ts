/** Lines of two outputs of a container are a little out of order, and the API server knows whole seconds only. */
const overlap = 2_000_000_000n;
const second = 1_000_000_000n;
/** More times than these are not remembered: what comes twice then, Loki shows once. */
const mostRecent = 10_000;

/** How far a log was read, by the times of its lines. They are nanoseconds, so that two lines hardly ever have the same. */
export class Position {
  #newest: bigint | undefined;
  /** The lines of the last two seconds, the older first. */
  readonly #recent = new Set<bigint>();

  constructor(times: Iterable<bigint> = []) {
    for (const time of times) this.pass(time);
  }

  /** From where to read on; undefined when nothing was read. */
  get from(): Date | undefined {
    return this.#newest === undefined ? undefined : new Date(Number(this.#newest / second - 1n) * 1000);
  }

  /** The lines that will come once more when it is read on from there. */
  get recent(): ReadonlySet<bigint> {
    return new Set(this.#recent);
  }

  /** A line of that time was read. */
  pass(time: bigint): void {
    if (this.#newest === undefined || time > this.#newest) this.#newest = time;
    this.#recent.add(time);
    for (const old of this.#recent) {
      if (old >= this.#newest - overlap && this.#recent.size <= mostRecent) return;
      this.#recent.delete(old);
    }
  }
}
