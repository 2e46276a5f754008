import { describe, expect, it } from 'vitest';
import { bodyOf, selectorOf, verdictOf } from '../../../operator/src/log-collector/loki.ts';

const stream = { namespace: 'shop', service: 'orders', pod: 'orders-1' };
// As Loki 3.7.8 says it.
const tooOld =
  'entry for stream \'{pod="p"}\' has timestamp too old: 2026-11-20T22:12:50Z, oldest acceptable timestamp is: 2026-11-21T04:12:59Z';
const farBehind =
  "entry with timestamp 2026-11-22 02:12:50 +0000 UTC ignored, reason: 'entry too far behind, entry timestamp is: 2026-11-22T02:12:50Z',\nuser 'fake', total ignored: 2 out of 3 for stream: {pod=\"p\"}";
const tooLong =
  "max entry size '262144' bytes exceeded for stream '{pod=\"p\"}' while adding an entry with length '300000' bytes";

describe('what Loki answers', () => {
  it.each([200, 204])('means with %i that it has the lines', (status) => {
    expect(verdictOf(status, '', 5)).toEqual({ kind: 'taken' });
  });

  it.each([429, 500, 502, 503, 504, 401, 403, 404, 408])('means with %i that they are sent again', (status) => {
    expect(verdictOf(status, 'wait', 5)).toEqual({ kind: 'later', reason: `HTTP ${status}: wait` });
  });

  it.each([
    [tooOld, 1, 'too_old'],
    [farBehind, 2, 'too_old'],
    [`3 errors like: ${tooOld}; 1 errors like: ${tooLong}`, 4, 'too_old'],
    [tooLong, 1, 'too_long'],
    ['loghttp.PushRequest.Streams: unexpected end of input', 5, 'other'],
  ])('means with 400 that so many of them never will be there: %s', (text, lines, because) => {
    expect(verdictOf(400, text, 5)).toMatchObject({ kind: 'refused', lines, because });
  });

  it('never counts more lines than were sent', () => {
    expect(verdictOf(400, 'total ignored: 70 out of 70', 5)).toMatchObject({ lines: 5 });
  });
});

describe('a push', () => {
  it('has one stream, times as text, and the metadata of each line', () => {
    const metadata = { level: 'info' };
    const entries = [{ time: 1_767_225_600_123_456_789n, line: 'a "b"', metadata, isCut: false }];
    expect(JSON.parse(bodyOf({ stream, entries }))).toEqual({
      streams: [{ stream, values: [['1767225600123456789', 'a "b"', metadata]] }],
    });
  });
});

describe('the selector of a stream', () => {
  it('tells the container of the service from others', () => {
    expect(selectorOf(stream)).toBe('{namespace="shop", service="orders", pod="orders-1", container=""}');
    expect(selectorOf({ ...stream, container: 'proxy' })).toMatch(/container="proxy"/);
  });
});
