import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { tool } from '../../cluster/toolchain.ts';

/** Any object, as it is in a manifest. */
// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever field it has something to say about
export type Wire = any;

export const repository = join(import.meta.dirname, '../..');
export const chart = join(repository, 'charts/microservice-platform');
export const platformNamespace = 'microservice-platform';

/** The objects that the chart makes of these values. Throws what helm says when it refuses them. */
export function render(values: object = {}): readonly Wire[] {
  const args = ['template', 'platform', chart, '--namespace', platformNamespace, '--values', '-'];
  return objectsIn(helm(args, JSON.stringify(values)));
}

/** What helm prints. */
export function helm(args: readonly string[], input = ''): string {
  return execFileSync(tool('helm'), args, {
    input,
    encoding: 'utf8',
    timeout: 30_000,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** What is said after an install with these values. */
export function notes(values: object): string {
  const args = ['install', 'platform', chart, '-n', platformNamespace, '--dry-run=client', '--values', '-'];
  return helm(args, JSON.stringify(values)).replace(/^.*\nNOTES:\n/s, '');
}

/** The objects of the shop, in the order in which they are applied. */
export function shop(): readonly Wire[] {
  return globSync('*.yaml', { cwd: join(repository, 'manifests/shop') })
    .sort()
    .flatMap((file) => objectsIn(readFileSync(join(repository, 'manifests/shop', file), 'utf8')));
}

export function find(objects: readonly Wire[], kind: string, name: string): Wire {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
}

export function ofKind(objects: readonly Wire[], kind: string): readonly Wire[] {
  return objects.filter((object) => object.kind === kind);
}

export function names(objects: readonly Wire[], kind: string): string[] {
  return ofKind(objects, kind)
    .map((object): string => object.metadata.name)
    .sort();
}

/** Throws where a document is no clean YAML, twice the same key included. */
function objectsIn(text: string): readonly Wire[] {
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors[0]) throw document.errors[0];
    const object: Wire = document.toJS();
    return object === null ? [] : [object];
  });
}
