import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chartTemplate, type Schema, staleFiles } from '../../../operator/generate.ts';
import { definitionPath, microserviceSchema } from '../../support/microservice.ts';

const definition = readFileSync(definitionPath, 'utf8');

/** Every part of a schema, with its path. */
function parts(schema: Schema, path = ''): { readonly path: string; readonly schema: Schema }[] {
  return [
    { path, schema },
    ...Object.entries(schema.properties ?? {}).flatMap(([name, field]) => parts(field, `${path}.${name}`)),
    ...(schema.items ? parts(schema.items, `${path}[]`) : []),
    ...(schema.additionalProperties ? parts(schema.additionalProperties, `${path}{}`) : []),
  ];
}

const all = parts(microserviceSchema());
const own = all.filter(({ path }) => path.startsWith('.spec') || path.startsWith('.status'));
const pathsOf = (found: typeof all) => found.map(({ path }) => path);

describe('the schema', () => {
  it('describes every field', () => {
    expect(pathsOf(own.filter(({ schema }) => !schema.description))).toEqual([]);
  });

  it('tells for every field of the spec what it is by default or gives an example', () => {
    const leaves = own.filter(
      ({ path, schema }) => path.startsWith('.spec') && !/\[\]$|\{\}$/.test(path) && !schema.properties,
    );
    expect(pathsOf(leaves.filter(({ schema }) => !/Example: |Default: /.test(schema.description ?? '')))).toEqual([]);
  });

  it('bounds every text, list and map, so that rules have a price', () => {
    const unbounded = own.filter(
      ({ schema }) =>
        (schema.type === 'string' && !schema.enum && schema.maxLength === undefined) ||
        (schema.type === 'array' && schema.maxItems === undefined) ||
        (schema.additionalProperties !== undefined && schema.maxProperties === undefined) ||
        (schema['x-kubernetes-int-or-string'] && schema.maxLength === undefined),
    );
    expect(pathsOf(unbounded)).toEqual([]);
  });

  it('bounds every number of the spec on both sides', () => {
    const numbers = own.filter(({ path, schema }) => path.startsWith('.spec') && schema.type === 'integer');
    expect(
      pathsOf(numbers.filter(({ schema }) => schema.minimum === undefined || schema.maximum === undefined)),
    ).toEqual([]);
  });

  it('says how every list is merged', () => {
    const lists = own.filter(({ schema }) => schema.type === 'array');
    expect(pathsOf(lists.filter(({ schema }) => !('x-kubernetes-list-type' in schema)))).toEqual([]);
  });

  it('has defaults at the top of the spec only, where GitOps tools do not stumble over them', () => {
    expect(pathsOf(all.filter(({ schema }) => schema.default !== undefined))).toEqual(['.spec.replicas', '.status']);
  });

  it('has a remedy for every rule', () => {
    const rules = all.flatMap(({ schema }) => schema['x-kubernetes-validations'] ?? []);
    expect(rules.filter(({ message }) => message === undefined)).toEqual([]);
  });

  it('stays below the 200 KB that a definition may have', () => {
    expect(Buffer.byteLength(definition)).toBeLessThan(200_000);
  });
});

describe('generated files', () => {
  it('are those that the definition in crds/ asks for', () => {
    expect(staleFiles(join(import.meta.dirname, '../../..'))).toEqual([]);
  });

  it('include a chart template in which text of the definition is not taken for template code', () => {
    expect(chartTemplate('metadata:\n  name: a\ndescription: use {{ this }}\n')).toContain('use {{ "{{" }} this }}');
  });

  it('include a chart template that is rendered on demand and keeps the definition on demand', () => {
    const text = chartTemplate(definition);
    expect(text).toMatch(/\{\{- if \.Values\.crds\.install \}\}\napiVersion/);
    expect(text).toMatch(/\{\{- if \.Values\.crds\.keep \}\}\n {2}annotations:\n {4}helm\.sh\/resource-policy: keep/);
    expect(text.trimEnd()).toMatch(/\{\{- end \}\}$/);
  });
});
