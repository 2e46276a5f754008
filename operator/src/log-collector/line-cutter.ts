/** A line of a log, and how many of its bytes are not in `text` because it was too long. */
export interface Line {
  readonly text: string;
  readonly leftOut: number;
}

/** Loki takes lines of 256 KiB. Nobody reads one of a quarter of that. */
const longestLine = 64 * 1024;

const newline = 0x0a;

/** Cuts a stream of bytes into lines, wherever the chunks begin and end. Keeps no more than the longest line in memory. */
export class LineCutter {
  readonly #longest: number;
  /** The beginning of a line whose end has not come yet. */
  #kept: Buffer[] = [];
  #keptLength = 0;
  #leftOut = 0;

  constructor(longest = longestLine) {
    this.#longest = longest;
  }

  /** The lines that this chunk completes. */
  *push(chunk: Buffer): Generator<Line> {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      this.#take(chunk.subarray(start, end));
      start = end + 1;
      yield this.#line();
    }
    this.#take(chunk.subarray(start));
    // A piece would keep the whole chunk in memory that it was cut from.
    if (start < chunk.length) this.#kept = [Buffer.concat(this.#kept)];
  }

  /** The last line, where the stream ended without ending it. */
  end(): Line | undefined {
    return this.#keptLength === 0 ? undefined : this.#line();
  }

  #take(part: Buffer): void {
    const room = this.#longest - this.#keptLength;
    const fitting = part.length <= room ? part : part.subarray(0, room);
    if (fitting.length > 0) this.#kept.push(fitting);
    this.#keptLength += fitting.length;
    this.#leftOut += part.length - fitting.length;
  }

  #line(): Line {
    const [bytes = Buffer.alloc(0)] = this.#kept.length > 1 ? [Buffer.concat(this.#kept)] : this.#kept;
    const whole = this.#leftOut === 0 ? bytes : bytes.subarray(0, lastBoundary(bytes));
    const line = { text: whole.toString('utf8'), leftOut: this.#leftOut + bytes.length - whole.length };
    this.#kept = [];
    this.#keptLength = 0;
    this.#leftOut = 0;
    return line;
  }
}

/** Where the last character that is whole ends: a cut may go through the bytes of one. */
function lastBoundary(bytes: Buffer): number {
  let start = bytes.length - 1;
  while (start > 0 && bytes.length - start < 4 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start -= 1;
  const first = bytes[start] ?? 0;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  return start + length <= bytes.length ? bytes.length : start;
}
