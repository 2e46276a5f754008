import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { entryOf, metadataOf } from '../../../operator/src/log-collector/entry.ts';

const entry = (text: string, leftOut = 0) => entryOf({ text, leftOut });
const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const span = '00f067aa0ba902b7';

describe('a line of a log', () => {
  it('has the time of the node, to the nanosecond, wherever the node is', () => {
    const time = 1_767_225_600_123_456_789n;
    expect(entry('2026-01-01T00:00:00.123456789Z hello')).toMatchObject({ time, line: 'hello' });
    expect(entry('2026-01-01T02:00:00.123456789+02:00 hello')).toMatchObject({ time, line: 'hello' });
    expect(entry('2026-01-01T00:00:00Z hello')?.time).toBe(1_767_225_600_000_000_000n);
    expect(entry('2026-01-01T00:00:00.5Z hello')?.time).toBe(1_767_225_600_500_000_000n);
  });

  it.each([
    'unable to retrieve container logs for containerd://0a1b',
    'failed to watch file "/var/log/pods/x": no space left on device',
    '',
    '2026-13-01T00:00:00Z hello',
  ])('is none when the node says something in place of it: %j', (text) => {
    expect(entry(text)).toBeUndefined();
  });

  it('stays as it is, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const line = text.replaceAll(/[\r\n]/g, '');
        expect(entry(`2026-01-01T00:00:00.000000001Z ${line}`)).toMatchObject({ line, isCut: false });
      }),
    );
  });

  it('says that its end is missing', () => {
    expect(entry('2026-01-01T00:00:00Z {"a":"b', 7)).toMatchObject({
      line: '{"a":"b [cut: 7 bytes left out]',
      metadata: {},
      isCut: true,
    });
  });
});

describe('what can be asked for of a line', () => {
  it.each([
    [
      { level: 'info', trace_id: trace, span_id: span, msg: 'x' },
      { level: 'info', trace_id: trace, span_id: span },
    ],
    [
      { level: 50, traceId: trace.toUpperCase() },
      { level: 'error', trace_id: trace },
    ],
    [
      { severity: 'WARNING', 'trace.id': trace },
      { level: 'warning', trace_id: trace },
    ],
    [{ level: 35 }, {}],
    [{ level: { a: 1 }, trace_id: 7, span_id: [span] }, {}],
    [{ trace_id: `${trace}"} or {`, level: 'a'.repeat(17) }, {}],
  ])('is its level and its trace, by the names that loggers have for them: %j', (fields, found) => {
    expect(metadataOf(JSON.stringify(fields))).toEqual(found);
  });

  it.each(['plain text', `trace_id=${trace}`, '{not json}', '[1]', 'null', '{}'])(
    'is nothing where there is none: %j',
    (line) => {
      expect(metadataOf(line)).toEqual({});
    },
  );

  it('is never anything but three short words, whatever a line holds', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('level', 'trace_id', 'span_id', 'x'), fc.jsonValue()), (fields) => {
        for (const [name, value] of Object.entries(metadataOf(JSON.stringify(fields)))) {
          expect(['level', 'trace_id', 'span_id']).toContain(name);
          expect(value).toMatch(/^[0-9a-z]{1,32}$/);
        }
      }),
    );
  });
});
