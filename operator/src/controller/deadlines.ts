interface Deadline {
  readonly key: string;
  readonly at: number;
}

/**
 * Keys and the time at which each is due, earliest first: a binary heap. A key that was put off or forgotten
 * leaves its old entry behind; `#dueAt` says which entry still counts.
 */
export class Deadlines {
  readonly #heap: Deadline[] = [];
  readonly #dueAt = new Map<string, number>();

  get size(): number {
    return this.#dueAt.size;
  }

  /** When the earliest key is due; undefined when there is none. */
  get earliest(): number | undefined {
    this.#dropStale();
    return this.#heap[0]?.at;
  }

  /** Sets when a key is due; the earlier of two deadlines counts. */
  set(key: string, at: number): void {
    const known = this.#dueAt.get(key);
    if (known !== undefined && known <= at) return;
    this.#dueAt.set(key, at);
    this.#push({ key, at });
  }

  forget(key: string): void {
    this.#dueAt.delete(key);
  }

  clear(): void {
    this.#dueAt.clear();
    this.#heap.length = 0;
  }

  /** Removes and gives every key that is due, earliest first. */
  takeDue(now: number): string[] {
    const due: string[] = [];
    for (let at = this.earliest; at !== undefined && at <= now; at = this.earliest) {
      const deadline = this.#pop();
      if (deadline === undefined) break;
      this.#dueAt.delete(deadline.key);
      due.push(deadline.key);
    }
    return due;
  }

  #dropStale(): void {
    for (let top = this.#heap[0]; top && this.#dueAt.get(top.key) !== top.at; top = this.#heap[0]) this.#pop();
  }

  #push(deadline: Deadline): void {
    const heap = this.#heap;
    let index = heap.push(deadline) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#swapIfEarlier(index, parent)) return;
      index = parent;
    }
  }

  #pop(): Deadline | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return top;
    heap[0] = last;
    let index = 0;
    while (true) {
      const [left, right] = [2 * index + 1, 2 * index + 2];
      const child = this.#at(right) < this.#at(left) ? right : left;
      if (!this.#swapIfEarlier(child, index)) return top;
      index = child;
    }
  }

  #at(index: number): number {
    return this.#heap[index]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** Swaps a child with its parent when the child is due earlier. */
  #swapIfEarlier(child: number, parent: number): boolean {
    const [lower, upper] = [this.#heap[child], this.#heap[parent]];
    if (lower === undefined || upper === undefined || lower.at >= upper.at) return false;
    this.#heap[child] = upper;
    this.#heap[parent] = lower;
    return true;
  }
}
