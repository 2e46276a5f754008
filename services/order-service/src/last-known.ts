import { Problem, type ProblemCode, UpstreamError } from '@microservice-platform/common';
import type { Knowledge } from './orders.ts';

export interface Memory {
  /** An older answer is forgotten. */
  readonly maxAgeMs: number;
  /** Of the answers, those asked for last are kept. */
  readonly maxEntries: number;
  readonly now?: () => number;
}

/** These say that nobody could tell; any other answer, also a refusal, is an answer. */
const silent: readonly ProblemCode[] = ['unavailable', 'upstream_error', 'upstream_timeout'];

/** Asks; when there is no answer, falls back to the last one that was given for the same key, marked as stale. */
export function lastKnown<K, V>(ask: (key: K) => Promise<V>, { maxAgeMs, maxEntries, now = Date.now }: Memory) {
  const known = new Map<K, { readonly value: V; readonly at: number }>();

  const keep = (key: K, value: V) => {
    known.delete(key);
    known.set(key, { value, at: now() });
    const [oldest] = known.keys();
    if (known.size > maxEntries && oldest !== undefined) known.delete(oldest);
  };
  return async (key: K): Promise<Knowledge<V>> => {
    try {
      const value = await ask(key);
      keep(key, value);
      return { value, stale: false };
    } catch (error) {
      const last = known.get(key);
      if (!isSilence(error) || last === undefined || now() - last.at > maxAgeMs) throw error;
      return { value: last.value, stale: true };
    }
  };
}

export function isSilence(error: unknown): boolean {
  if (error instanceof UpstreamError) return true;
  return error instanceof Problem && silent.includes(error.code);
}
