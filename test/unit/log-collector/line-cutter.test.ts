import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Line, LineCutter } from '../../../operator/src/log-collector/line-cutter.ts';

/** Cuts bytes at the given places, in whatever order they are named. */
function chunked(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((start, index) => bytes.subarray(start, places[index] ?? bytes.length));
}

function linesOf(chunks: readonly Buffer[], longest?: number): readonly Line[] {
  const cutter = new LineCutter(longest);
  const lines = chunks.flatMap((chunk) => [...cutter.push(chunk)]);
  const last = cutter.end();
  return last === undefined ? lines : [...lines, last];
}

const text = fc.string({ unit: 'grapheme' }).filter((each) => !each.includes('\n'));

describe('a log cut into lines', () => {
  test('gives the same lines however the bytes arrive', () => {
    fc.assert(
      fc.property(fc.array(text), fc.array(fc.nat()), (texts, cuts) => {
        const bytes = Buffer.from(texts.map((each) => `${each}\n`).join(''));
        expect(linesOf(chunked(bytes, cuts))).toEqual(texts.map((each) => ({ text: each, leftOut: 0 })));
      }),
    );
  });

  test('keeps no more of a line than is allowed, cuts no character, and says how much is missing', () => {
    fc.assert(
      fc.property(fc.array(text), fc.array(fc.nat()), fc.integer({ min: 4, max: 40 }), (texts, cuts, longest) => {
        const bytes = Buffer.from(texts.map((each) => `${each}\n`).join(''));
        const lines = linesOf(chunked(bytes, cuts), longest);
        expect(lines).toHaveLength(texts.length);
        for (const [at, line] of lines.entries()) {
          const whole = texts[at] ?? '';
          expect(whole.startsWith(line.text)).toBe(true);
          expect(Buffer.byteLength(line.text)).toBeLessThanOrEqual(longest);
          expect(Buffer.byteLength(line.text) + line.leftOut).toBe(Buffer.byteLength(whole));
        }
      }),
    );
  });

  test('gives the last words of a process that ended without ending its line', () => {
    expect(linesOf([Buffer.from('a\nfatal: no')])).toEqual([
      { text: 'a', leftOut: 0 },
      { text: 'fatal: no', leftOut: 0 },
    ]);
  });

  test('does not collect a line without end', () => {
    const cutter = new LineCutter(1024);
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 200; i += 1) expect([...cutter.push(Buffer.from(chunk))]).toEqual([]);

    expect(cutter.end()).toMatchObject({ leftOut: 200 * 1024 * 1024 - 1024 });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * 1024 * 1024);
  });
});
