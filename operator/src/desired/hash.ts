import { createHash } from 'node:crypto';
import { desiredHashAnnotation } from '../api/labels.ts';
import type { Manifest } from '../api/object.ts';

/** The manifest with its own hash in an annotation, so that a later pass sees that something is no longer asked for. */
export function withHash(manifest: Manifest): Manifest {
  const { metadata } = manifest;
  const annotations = { ...metadata.annotations, [desiredHashAnnotation]: hashOf(manifest) };
  return { ...manifest, metadata: { ...metadata, annotations } };
}

/** The same for values that are equal as JSON, whatever the order of their keys. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 32);
}

/** JSON with the keys of every object in order; absent and undefined are the same. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    isObject(part) ? Object.fromEntries(Object.entries(part).sort(byKey)) : part,
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}
