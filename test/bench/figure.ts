/** Something measured several times, told by its median and its worst. */
export interface Figure {
  readonly what: string;
  readonly unit: string;
  readonly median: number;
  readonly worst: number;
  /** How many times it was measured. */
  readonly times: number;
  /** Set against the bare API server in the same run. */
  readonly bare?: Ratio;
  /** What is known of the peer, which was measured elsewhere. */
  readonly peer?: string;
}

export interface Ratio {
  readonly ratio: number;
  /** Of what it is a part or a multiple. */
  readonly of: string;
}

/** Whether more of it is better, as of a rate, or less, as of a time. */
export type Better = 'more' | 'less';

/**
 * The figure that samples give.
 * @throws Error when there are none
 */
export function figure(
  { what, unit, better = 'less' }: { readonly what: string; readonly unit: string; readonly better?: Better },
  samples: readonly number[],
  besides: Pick<Figure, 'bare' | 'peer'> = {},
): Figure {
  const worst = better === 'less' ? Math.max(...samples) : Math.min(...samples);
  return { what, unit, median: medianOf(samples), worst, times: samples.length, ...besides };
}

/** The middle of the samples; of an even number of them, the mean of the two in the middle. @throws Error without samples */
export function medianOf(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const [lower, upper] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  if (lower === undefined || upper === undefined) throw new Error('nothing was measured');
  return (lower + upper) / 2;
}
