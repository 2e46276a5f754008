import { describe, expect, test } from 'vitest';
import { failureOf, isExpired, refusalOf, statusOf } from '../../../operator/src/cluster/answer.ts';

const what = 'apply Deployment shop/orders';

describe('an answer of the API server', () => {
  test.each([
    [401, {}, 'denied'],
    [403, { reason: 'Forbidden' }, 'denied'],
    [403, { details: { causes: [{ reason: 'NamespaceTerminating' }] } }, 'gone'],
    [404, { reason: 'NotFound' }, 'gone'],
    [409, { reason: 'AlreadyExists' }, 'exists'],
    [409, { reason: 'Conflict' }, 'conflict'],
    [422, { reason: 'Invalid' }, 'invalid'],
    [422, { reason: 'Invalid', details: { causes: [{ field: 'metadata.uid' }] } }, 'conflict'],
    [400, { reason: 'BadRequest' }, 'invalid'],
    [500, { message: 'failed to create typed patch object (shop/orders): unknown field' }, 'invalid'],
    [500, { message: 'etcdserver: leader changed' }, 'unavailable'],
    [429, { reason: 'TooManyRequests' }, 'unavailable'],
    [503, {}, 'unavailable'],
  ])('with code %i and %j means: %s', (code, body, kind) => {
    const status = statusOf(code, JSON.stringify({ kind: 'Status', message: 'because', ...body }));

    expect(refusalOf(what, status)).toMatchObject({
      kind,
      message: expect.stringContaining(`${what}: ${kind}: `),
    });
  });

  test('says what was attempted on what, and the reason in the words of the API server', () => {
    const status = statusOf(403, '{"kind":"Status","message":"exceeded quota: pods"}');

    expect(refusalOf(what, status).message).toBe('apply Deployment shop/orders: denied: exceeded quota: pods');
  });

  test('is understood even when it comes from somebody in between', () => {
    expect(refusalOf(what, statusOf(502, '<html>bad gateway</html>'))).toMatchObject({
      kind: 'unavailable',
      message: `${what}: unavailable: <html>bad gateway</html>`,
    });
    expect(refusalOf(what, statusOf(504, '')).message).toBe(`${what}: unavailable: HTTP 504`);
  });

  test('tells how long to wait, from the header or from the body', () => {
    expect(refusalOf(what, statusOf(429, ''), '3').retryAfterMs).toBe(3_000);
    const body = { kind: 'Status', details: { retryAfterSeconds: 2 } };
    expect(refusalOf(what, statusOf(503, JSON.stringify(body))).retryAfterMs).toBe(2_000);
    expect(refusalOf(what, statusOf(409, ''), '3').retryAfterMs).toBeUndefined();
  });

  test('that a resourceVersion is too old is told apart from everything else that is gone', () => {
    expect(isExpired(refusalOf('watch pods', { code: 410, reason: 'Expired' }))).toBe(true);
    expect(isExpired(refusalOf('watch pods', { code: 404, reason: 'NotFound' }))).toBe(false);
  });
});

test('no answer at all is named by its cause, also when every address of the API server failed', () => {
  const refused = new AggregateError([new Error('connect ECONNREFUSED ::1:6443')]);

  expect(failureOf(what, refused).message).toBe(`${what}: unavailable: connect ECONNREFUSED ::1:6443`);
  expect(failureOf(what, new DOMException('aborted', 'TimeoutError')).message).toBe(
    `${what}: unavailable: no answer before the deadline`,
  );
});
