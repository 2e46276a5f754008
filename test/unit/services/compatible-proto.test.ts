import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');
const service = join(root, 'services/product-service');

function buf(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(join(root, 'node_modules/.bin/buf'), args, {
    cwd: service,
    encoding: 'utf8',
  });
  return { status, told: stdout + stderr };
}

/** What buf says of the definition with this change, compared with the released one. */
function breaking(from: string, to: string) {
  const folder = mkdtempSync(join(tmpdir(), 'proto-'));
  try {
    const text = readFileSync(join(service, 'proto/product.proto'), 'utf8');
    expect(text).toContain(from);
    cpSync(join(service, 'buf.yaml'), join(folder, 'buf.yaml'));
    mkdirSync(join(folder, 'proto'));
    writeFileSync(join(folder, 'proto/product.proto'), text.replace(from, to));
    return buf('breaking', folder, '--against', 'released');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('the gRPC definition of the product service', () => {
  it('is written as buf advises, but for what its name and history ask for', () => {
    expect(buf('lint')).toEqual({ status: 0, told: '' });
  });

  it('keeps every promise of its last release', () => {
    expect(buf('breaking', '--against', 'released')).toEqual({ status: 0, told: '' });
  });

  it.each([
    ['a field has another type', 'int32 id = 1', 'int64 id = 1', 'changed type from "int32" to "int64"'],
    ['a field has another number', 'string name = 2', 'string name = 4', 'field "2" with name "name" on message'],
    ['a field has another name', 'double price', 'double cost', 'changed name from "price" to "cost"'],
    ['a call does not stream any more', '(stream Product)', '(Product)', 'from server streaming to server unary'],
    ['a call is gone', 'rpc GetProduct(', 'rpc FindProduct(', 'deleted'],
    ['the package has another name', 'package product;', 'package product.v2;', 'package changed from "product"'],
  ])('breaks its callers when %s', (_what, from, to, told) => {
    const { status, told: said } = breaking(from, to);
    expect([status, said.toLowerCase()]).toEqual([100, expect.stringContaining(told)]);
  });

  it('does not when a field is added', () => {
    expect(breaking('double price = 3;', 'double price = 3;\n  string unit = 4;')).toEqual({ status: 0, told: '' });
  });
});
