/**
 * A deep copy of a part of the spec that has the shape of Kubernetes, as the API server keeps it: without lists, maps of
 * labels and affinities that are empty. Server-side apply drops a map whose last field goes, so what says nothing is
 * never stated. A selector stays, also an empty one: it selects everything.
 */
export function copyOf<T>(value: unknown): T {
  return JSON.parse(JSON.stringify(value), (key, part: unknown) => (isLeftOut(key, part) ? undefined : part));
}

const saysNothingWhenEmpty = new Set(['matchLabels', 'nodeAffinity', 'podAffinity', 'podAntiAffinity']);

function isLeftOut(key: string, part: unknown): boolean {
  if (Array.isArray(part)) return part.length === 0;
  return saysNothingWhenEmpty.has(key) && isEmpty(part);
}

/** The field of that name, or nothing at all where its value is not given or empty. */
export function stated<K extends string, T extends object>(name: K, value: T | undefined): { [key in K]?: T } {
  return (value === undefined || isEmpty(value) ? {} : { [name]: value }) as { [key in K]?: T };
}

function isEmpty(part: unknown): boolean {
  return typeof part === 'object' && part !== null && Object.keys(part).length === 0;
}
