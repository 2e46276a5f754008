/** An object is at most a few megabytes; a longer line is no line of a watch. */
const longestLine = 64 * 1024 * 1024;

const newline = 0x0a;

/** Cuts a stream of bytes into lines, wherever the chunks begin and end. Empty lines are left out. */
export class LineSplitter {
  /** The beginning of a line whose end has not come yet. */
  #rest: Buffer[] = [];
  #restLength = 0;

  /**
   * The lines that this chunk completes.
   * @throws RangeError when a line gets longer than any object can be
   */
  *push(chunk: Buffer): Generator<string> {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      const line = this.#complete(chunk.subarray(start, end));
      start = end + 1;
      if (line !== '') yield line;
    }
    this.#keep(chunk.subarray(start));
  }

  #complete(tail: Buffer): string {
    if (this.#restLength === 0) return tail.toString('utf8');
    const line = Buffer.concat([...this.#rest, tail]).toString('utf8');
    this.#rest = [];
    this.#restLength = 0;
    return line;
  }

  #keep(part: Buffer): void {
    if (part.length === 0) return;
    this.#rest.push(part);
    this.#restLength += part.length;
    if (this.#restLength > longestLine) throw new RangeError(`a line of more than ${longestLine} bytes`);
  }
}
