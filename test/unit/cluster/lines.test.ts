import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineSplitter } from '../../../operator/src/cluster/lines.ts';

/** Cuts bytes at the given places, in whatever order they are named. */
function chunked(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((start, index) => bytes.subarray(start, places[index] ?? bytes.length));
}

describe('a stream cut into lines', () => {
  test('gives the same lines however the bytes arrive', () => {
    const line = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !text.includes('\n'));
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat()), (lines, cuts) => {
        const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
        const splitter = new LineSplitter();
        const given = chunked(bytes, cuts).flatMap((chunk) => [...splitter.push(chunk)]);
        expect(given).toEqual(lines);
      }),
    );
  });

  test('holds back a line whose end has not come', () => {
    const splitter = new LineSplitter();

    expect([...splitter.push(Buffer.from('{"a":1}\n{"b"'))]).toEqual(['{"a":1}']);
    expect([...splitter.push(Buffer.from(':2}\n'))]).toEqual(['{"b":2}']);
  });

  test('leaves out empty lines', () => {
    expect([...new LineSplitter().push(Buffer.from('\n\na\n\n'))]).toEqual(['a']);
  });

  test('has no end of its own, however long it goes on', () => {
    const splitter = new LineSplitter();
    const halves = Buffer.concat([Buffer.alloc(512 * 1024, 'x'), Buffer.from('\n'), Buffer.alloc(512 * 1024, 'x')]);
    let lines = 0;
    for (let i = 0; i < 140; i += 1) for (const _ of splitter.push(halves)) lines += 1;

    expect(lines).toBe(140);
  });

  test('refuses to collect a line without end', () => {
    const splitter = new LineSplitter();
    const megabyte = Buffer.alloc(1024 * 1024, 'x');
    const endless = () => {
      for (let i = 0; i < 100; i += 1) for (const _ of splitter.push(megabyte));
    };

    expect(endless).toThrow(RangeError);
  });
});
