import type { IncomingMessage, ServerResponse } from 'node:http';
import { createInterface } from 'node:readline';

/** What happens to one line of a watch. */
export type LineFault =
  /** Half of it arrives, then the connection is reset. */
  | { readonly kind: 'cut' }
  | { readonly kind: 'duplicate' }
  /** It comes later, and so does all that comes after it: a stream keeps its order. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** After it comes an older line about the same namespace once more. */
  | { readonly kind: 'replay' };

/** What a stream asks for each line: which namespace it is about tells whether something happens to it. */
export interface LineFaults {
  take(namespace: string): LineFault | undefined;
  /** An earlier line about that namespace. */
  older(namespace: string, line: string): string | undefined;
  /** Remembers a line, to be told once more later. */
  keep(line: string): void;
}

const expired = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };

/** One open watch of the operator. Lines go through in their order, or what a fault makes of them. */
export class WatchStream {
  readonly resource: string;
  readonly #source: IncomingMessage;
  readonly #outgoing: ServerResponse;
  readonly #faults: LineFaults;
  /** Lines that wait; undefined while they pass. */
  #held: string[] | undefined;
  #isSwallowed = false;
  #isOver = false;

  constructor(resource: string, source: IncomingMessage, outgoing: ServerResponse, faults: LineFaults) {
    this.resource = resource;
    this.#source = source;
    this.#outgoing = outgoing;
    this.#faults = faults;
  }

  /** Passes lines on until the API server ends the watch, or a fault does. */
  async run(): Promise<void> {
    this.#outgoing.once('close', () => this.#source.destroy());
    this.#source.once('error', () => this.#outgoing.destroy());
    for await (const line of createInterface({ input: this.#source })) this.#receive(line);
    if (!this.#isSwallowed) this.#outgoing.end();
  }

  /** Whether a fault has ended it. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The API server ends it in good order. */
  close(): void {
    this.#isOver = true;
    this.#outgoing.end();
  }

  /** It is cut between two lines. */
  reset(): void {
    this.#isOver = true;
    this.#outgoing.socket?.resetAndDestroy();
  }

  /** Its place in history is lost: what was held is never told. */
  expire(): void {
    this.#isOver = true;
    this.#held = [];
    this.#outgoing.end(`${JSON.stringify({ type: 'ERROR', object: expired })}\n`);
  }

  /** From now on nothing comes any more, and the connection stays. */
  swallow(): void {
    this.#isSwallowed = true;
  }

  /** Lines wait from now on. */
  hold(): void {
    this.#held ??= [];
  }

  /** What waits comes in one burst. */
  release(): void {
    const lines = this.#held ?? [];
    this.#held = undefined;
    this.#write(...lines);
  }

  #receive(line: string): void {
    if (this.#isSwallowed) return;
    const namespace = namespaceIn(line);
    const fault = namespace === undefined ? undefined : this.#faults.take(namespace);
    switch (fault?.kind) {
      case undefined:
        this.#write(line);
        break;
      case 'cut':
        this.#outgoing.write(line.slice(0, line.length / 2), () => this.reset());
        break;
      case 'duplicate':
        this.#write(line, line);
        break;
      case 'delay':
        this.hold();
        this.#write(line);
        setTimeout(() => this.release(), fault.ms);
        break;
      case 'replay':
        this.#write(line, this.#faults.older(namespace ?? '', line) ?? line);
        break;
    }
    if (namespace !== undefined) this.#faults.keep(line);
  }

  #write(...lines: readonly string[]): void {
    if (this.#held !== undefined) this.#held.push(...lines);
    else if (lines.length > 0) this.#outgoing.write(lines.map((line) => `${line}\n`).join(''));
  }
}

/** Bookmarks and errors are about no namespace. */
export function namespaceIn(line: string): string | undefined {
  const { object } = JSON.parse(line) as { readonly object?: { readonly metadata?: { readonly namespace?: string } } };
  return object?.metadata?.namespace;
}
