import { Agent } from 'undici';
import type { Batch } from './backlog.ts';
import { Position } from './position.ts';
import type { Stream } from './stream.ts';

/** What becomes of the lines of a batch: Loki has them, does not want some of them, or is to be asked again. */
export type Verdict =
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly lines: number; readonly because: Refusal; readonly reason: string }
  | { readonly kind: 'later'; readonly reason: string };

/** Why Loki will never take a line. */
export type Refusal = 'too_old' | 'too_new' | 'too_long' | 'other';

/** A Loki that says nothing for so long is asked again. */
const answerMs = 10_000;
/** A container whose position is not known soon is read from where all are. */
const positionMs = 3_000;
/** So many lines tell how far a stream is, and which of the last seconds are there. */
const lastLines = 200;

/**
 * Sends lines to Loki, one stream in each request: of a request with several, Loki's answer tells only of the last one.
 */
export class Loki {
  readonly #url: URL;
  readonly #agent = new Agent({
    connect: { timeout: 5_000 },
    allowH2: false,
    pipelining: 1,
    keepAliveTimeout: 30_000,
    headersTimeout: answerMs,
    bodyTimeout: answerMs,
  });

  constructor(address: string) {
    this.#url = new URL(`${address.replace(/\/$/, '')}/loki/api/v1/`);
  }

  async push(batch: Batch, signal: AbortSignal): Promise<Verdict> {
    try {
      const answer = await this.#agent.request({
        origin: this.#url.origin,
        path: `${this.#url.pathname}push`,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: bodyOf(batch),
        signal,
      });
      return verdictOf(answer.statusCode, await answer.body.text(), batch.entries.length);
    } catch (error) {
      return { kind: 'later', reason: error instanceof Error ? error.message : String(error) };
    }
  }

  /**
   * How far the lines of a stream are in Loki, not before `since`. It has nothing to do with whether lines get there, so a
   * Loki that does not know soon is not asked twice.
   */
  async positionOf(stream: Stream, since: Date, signal: AbortSignal): Promise<Position> {
    const query = new URLSearchParams({
      query: selectorOf(stream),
      start: since.toISOString(),
      direction: 'backward',
      limit: String(lastLines),
    });
    try {
      const answer = await this.#agent.request({
        origin: this.#url.origin,
        path: `${this.#url.pathname}query_range?${query.toString()}`,
        method: 'GET',
        signal: AbortSignal.any([signal, AbortSignal.timeout(positionMs)]),
      });
      return new Position(answer.statusCode === 200 ? timesIn(await answer.body.json()) : []);
    } catch {
      return new Position();
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

/** Exactly that stream, as Loki's language says it. */
export function selectorOf({ namespace, service, pod, container = '' }: Stream): string {
  const labels = Object.entries({ namespace, service, pod, container });
  return `{${labels.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(', ')}}`;
}

/** The times of the lines of an answer, the older first. */
function timesIn(answer: unknown): readonly bigint[] {
  const { data } = answer as { readonly data: { readonly result: readonly { values: readonly [string, string][] }[] } };
  return data.result
    .flatMap(({ values }) => values.map(([time]) => BigInt(time)))
    .sort((one, other) => Number(one - other));
}

/** A batch as Loki's API takes it. */
export function bodyOf({ stream, entries }: Batch): string {
  const values = entries.map(({ time, line, metadata }) => [String(time), line, metadata]);
  return JSON.stringify({ streams: [{ stream, values }] });
}

/** What Loki's answer to a batch of so many lines means. */
export function verdictOf(status: number, text: string, lines: number): Verdict {
  if (status < 300) return { kind: 'taken' };
  const reason = `HTTP ${status}: ${text.trim().slice(0, 300)}`;
  // 400, 413 and 422 are about these lines; everything else is about Loki, the way to it, or how much there is at once.
  if (![400, 413, 422].includes(status)) return { kind: 'later', reason };
  return { kind: 'refused', lines: Math.min(lines, ignoredIn(text) ?? lines), because: refusalIn(text), reason };
}

function refusalIn(text: string): Refusal {
  if (/too far behind|too old|out of order/i.test(text)) return 'too_old';
  if (/too new/i.test(text)) return 'too_new';
  return /too long|max entry size/i.test(text) ? 'too_long' : 'other';
}

/** How many lines Loki left out, where it says so; it took the others. */
function ignoredIn(text: string): number | undefined {
  const ignored = /total ignored: (\d+) out of \d+/.exec(text)?.[1];
  if (ignored !== undefined) return Number(ignored);
  const alike = [...text.matchAll(/(\d+) errors? like: /g)].map(([, count]) => Number(count));
  if (alike.length > 0) return alike.reduce((sum, count) => sum + count, 0);
  return /timestamp too (old|new)|max entry size/i.test(text) ? 1 : undefined;
}
