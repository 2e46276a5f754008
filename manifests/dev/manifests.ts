import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { repository } from '../../cluster/paths.ts';
import type { Microservice } from './environment.ts';

export const shopFolder = join(repository, 'manifests/shop');

/** A second name for a Microservice, as a Service of its own gives it. */
export interface Alias {
  readonly kind: 'Service';
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly selector: { readonly [selectsMicroservice]?: string };
    readonly ports: readonly { readonly port: number }[];
  };
}

export const selectsMicroservice = 'microservice-platform.io/microservice';

/** The shop as its manifests are now. @throws Error naming a file that cannot be read as YAML */
export function shopObjects(): { readonly microservices: readonly Microservice[]; readonly aliases: readonly Alias[] } {
  const objects = globSync('*.yaml', { cwd: shopFolder }).sort().flatMap(objectsOf);
  return { microservices: objects.filter(isMicroservice), aliases: objects.filter(isAlias) };
}

function objectsOf(file: string): readonly unknown[] {
  const documents = parseAllDocuments(readFileSync(join(shopFolder, file), 'utf8'));
  return documents.map((document) => {
    const [fault] = document.errors;
    if (fault !== undefined) throw new Error(`manifests/shop/${file}: ${fault.message}`);
    return document.toJS() as unknown;
  });
}

const isKind = (object: unknown, kind: string) =>
  typeof object === 'object' && object !== null && 'kind' in object && object.kind === kind;

function isMicroservice(object: unknown): object is Microservice {
  return isKind(object, 'Microservice');
}

function isAlias(object: unknown): object is Alias {
  return isKind(object, 'Service') && (object as Alias).spec.selector[selectsMicroservice] !== undefined;
}
