import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** A schema of JSON, as far as the contracts use it. */
export interface Schema {
  readonly [keyword: string]: unknown;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly allOf?: readonly Schema[];
}

export type Content = Readonly<Record<string, { readonly schema: Schema }>>;

export interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: Schema;
}

export interface Answer {
  readonly headers?: Readonly<Record<string, { readonly required?: boolean; readonly schema: Schema }>>;
  readonly content?: Content;
}

export interface Operation {
  readonly deprecated?: boolean;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, Answer>>;
}

/** What a service promises: each operation by its method and whole path, with the prefix of its version. */
export type Contract = Readonly<Record<string, Operation>>;

interface Server {
  readonly url: string;
}

interface Document {
  readonly servers: readonly Server[];
  readonly paths: Readonly<Record<string, PathItem>>;
}

interface PathItem {
  readonly servers?: readonly Server[];
  readonly parameters?: readonly Parameter[];
  readonly [method: string]: unknown;
}

const methods = ['get', 'put', 'post', 'delete', 'patch'];
const services = join(import.meta.dirname, '../../services');

/** The contract of a service as it is now, or as it was last released; what it refers to is put in its place. */
export function contractOf(service: string, version: 'current' | 'released' = 'current'): Contract {
  const file = (folder: string, name: string) =>
    parse(readFileSync(join(services, folder, version === 'released' ? 'released' : '', name), 'utf8')) as unknown;
  return contractIn(file(service, 'openapi.yaml'), file('common', 'problems.yaml'));
}

/** The contract in a document, and in another one that it calls `../common/problems.yaml`. */
export function contractIn(document: unknown, problems: unknown): Contract {
  const { servers, paths } = resolved(document, document, problems) as Document;
  const contract: Record<string, Operation> = {};
  for (const [path, item] of Object.entries(paths)) {
    for (const method of methods.filter((it) => it in item)) {
      const operation = item[method] as Operation & { readonly servers?: readonly Server[] };
      const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])];
      for (const { url } of operation.servers ?? item.servers ?? servers) {
        contract[`${method.toUpperCase()} ${url === '/' ? '' : url}${path}`] = { ...operation, parameters };
      }
    }
  }
  return contract;
}

/** The node with every `$ref` in it replaced by what it refers to. */
function resolved(node: unknown, document: unknown, problems: unknown): unknown {
  if (Array.isArray(node)) return node.map((it) => resolved(it, document, problems));
  if (typeof node !== 'object' || node === null) return node;
  if (!('$ref' in node)) {
    return Object.fromEntries(Object.entries(node).map(([key, it]) => [key, resolved(it, document, problems)]));
  }
  const [file, pointer = ''] = String(node.$ref).split('#');
  if (file !== '' && file !== '../common/problems.yaml') throw new Error(`${String(node.$ref)} is not known`);
  const home = file === '' ? document : problems;
  let target = home;
  for (const key of pointer.split('/').slice(1)) target = (target as Record<string, unknown> | undefined)?.[key];
  if (target === undefined) throw new Error(`${String(node.$ref)} refers to nothing`);
  return resolved(target, home, problems);
}
