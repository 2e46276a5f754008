import { Histogram, type Registry } from 'prom-client';
import { tracedIds } from '../telemetry/tracing.ts';
import type { Exemplar } from './exposition.ts';

/** From a quick look-up to the limit for an answer (10 s). */
export const durationBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

type LabelValues = Readonly<Partial<Record<string, string | number>>>;

export interface DurationOptions<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly Label[];
  readonly registry: Registry;
}

/**
 * Durations by bucket, each bucket with the last trace that fell into it, for {@link openMetrics} to show. The library
 * has exemplars of its own, but only in a registry that cannot speak the plain format any more.
 */
export class DurationHistogram<Label extends string> extends Histogram<Label> {
  /** By the values of the labels; in each, one place for a bucket and the last for what is longer than all of them. */
  readonly #exemplars = new Map<string, (Exemplar | undefined)[]>();
  readonly #labelNames: readonly Label[];

  constructor({ name, help, labelNames, registry }: DurationOptions<Label>) {
    super({ name, help, labelNames: [...labelNames], buckets: durationBuckets, registers: [registry] });
    this.#labelNames = labelNames;
  }

  /** Adds one duration; the active trace, if it is kept, becomes its bucket's example. */
  add(labels: Readonly<Record<Label, string>>, seconds: number): void {
    this.observe(labels, seconds);
    const ids = tracedIds();
    if (ids === undefined) return;
    const key = this.#keyOf(labels);
    const buckets = this.#exemplars.get(key) ?? [];
    this.#exemplars.set(key, buckets);
    buckets[placeOf(seconds)] = { labelSet: ids, value: seconds, timestamp: Date.now() / 1000 };
  }

  override async get() {
    const family = await super.get();
    const values = family.values.map((sample) => ({ ...sample, exemplar: this.#exemplarOf(sample.labels) }));
    return { ...family, values };
  }

  #exemplarOf(labels: LabelValues): Exemplar | undefined {
    const { le } = labels;
    if (le === undefined) return undefined;
    return this.#exemplars.get(this.#keyOf(labels))?.[placeOf(le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le))];
  }

  #keyOf(labels: LabelValues): string {
    return this.#labelNames.map((name) => labels[name]).join('\0');
  }
}

function placeOf(seconds: number): number {
  const place = durationBuckets.findIndex((bound) => seconds <= bound);
  return place === -1 ? durationBuckets.length : place;
}
