import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonLines } from '../../../services/common/src/etcd/json-lines.ts';

/** The bytes in chunks that end wherever `sizes` say. */
async function* chunksOf(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let start = 0;
  for (let i = 0; start < bytes.length; i++) {
    const end = start + (sizes[i % sizes.length] ?? 1);
    yield bytes.subarray(start, end);
    start = end;
  }
}

async function read(text: string, sizes: readonly number[] = [text.length], maxLineBytes = 1000): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of jsonLines(chunksOf(Buffer.from(text), sizes), maxLineBytes)) values.push(value);
  return values;
}

describe('a stream of JSON lines', () => {
  it('gives its values in order, wherever the bytes are cut', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 });
    const values = fc.array(fc.record({ text: fc.string({ unit: 'grapheme' }), number: fc.integer() }));
    await fc.assert(
      fc.asyncProperty(values, sizes, async (given, cuts) => {
        const text = given.map((value) => `${JSON.stringify(value)}\n`).join('');
        expect(await read(text, cuts, 10_000)).toEqual(given);
      }),
    );
  });

  it('may have empty lines, which mean nothing', async () => {
    expect(await read('\n{"a":1}\r\n\n \n2\n')).toEqual([{ a: 1 }, 2]);
  });

  it('is refused once a line is too long, however it comes, before the line has ended', async () => {
    const endless = async function* () {
      for (let sent = 0; ; sent += 10) {
        if (sent > 50) throw new Error('read too far');
        yield Buffer.from('0123456789');
      }
    };
    await expect(jsonLines(endless(), 25).next()).rejects.toThrow('a line of the stream is longer than 25 bytes');
    expect(await read(`"${'x'.repeat(23)}"\n`, [3], 25)).toHaveLength(1);
  });

  it('is refused when it ends within a line, or has one that is not JSON', async () => {
    await expect(read('{"a":1}\n{"a":')).rejects.toThrow('the stream ended within a line');
    await expect(read('<html>\n')).rejects.toThrow('a line of the stream is not JSON: "<html>"');
  });
});
