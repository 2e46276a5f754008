const firstMs = 200;
/** Short enough that a dependency which comes back is used again within seconds. */
const longestMs = 10_000;

/**
 * How long to wait before the next attempt after `failures` (at least 1) in a row, in milliseconds: doubling up to
 * ten seconds. The upper half is chance, so that replicas which lost the same dependency do not return in step.
 */
export function backoffMs(failures: number, random: () => number = Math.random): number {
  const longest = Math.min(longestMs, firstMs * 2 ** (failures - 1));
  return longest / 2 + (random() * longest) / 2;
}
