/** How big a process is at one moment. */
export interface Sample {
  readonly megabytes: number;
  /** Open files and sockets. */
  readonly descriptors: number;
}

export interface Growth {
  readonly from: number;
  readonly to: number;
}

/** From the second quarter, when the process has warmed up, to the last: medians, which a single collection does not move. */
export function growthIn(samples: readonly Sample[]): Readonly<Record<keyof Sample, Growth>> {
  const quarter = Math.floor(samples.length / 4);
  const growthOf = (of: (sample: Sample) => number): Growth => ({
    from: median(samples.slice(quarter, 2 * quarter).map(of)),
    to: median(samples.slice(-quarter).map(of)),
  });
  return { megabytes: growthOf(({ megabytes }) => megabytes), descriptors: growthOf(({ descriptors }) => descriptors) };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
