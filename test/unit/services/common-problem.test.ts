import { STATUS_CODES } from 'node:http';
import { describe, expect, it } from 'vitest';
import { UpstreamError } from '../../../services/common/src/calls/upstream-error.ts';
import { Problem, problemOf, problems } from '../../../services/common/src/serving/problem.ts';

describe('problems', () => {
  it('are a closed list, each code with its status', () => {
    const list = Object.entries(problems).map(([code, { status }]) => `${status} ${code}`);
    expect(list).toEqual([
      '400 invalid_request',
      '401 unauthenticated',
      '402 payment_declined',
      '403 forbidden',
      '404 not_found',
      '405 method_not_allowed',
      '408 request_timeout',
      '409 conflict',
      '409 out_of_stock',
      '409 idempotency_key_in_use',
      '413 payload_too_large',
      '415 unsupported_media_type',
      '422 idempotency_key_reused',
      '429 too_many_requests',
      '500 internal',
      '502 upstream_error',
      '503 unavailable',
      '504 upstream_timeout',
    ]);
  });

  it('are titled as HTTP titles their status, as about:blank demands', () => {
    // Node still has the names before RFC 9110.
    const titles: typeof STATUS_CODES = { ...STATUS_CODES, 413: 'Content Too Large', 422: 'Unprocessable Content' };
    for (const { status, title } of Object.values(problems)) expect(title).toBe(titles[status]);
  });

  it('carry type, title, status, detail and code, and the faulty fields where there are some', () => {
    const errors = [{ field: 'name', message: 'name is required' }];
    expect(new Problem('invalid_request', 'name is required', { errors }).body()).toEqual({
      type: 'about:blank',
      title: 'Bad Request',
      status: 400,
      detail: 'name is required',
      code: 'invalid_request',
      errors,
    });
    expect(new Problem('not_found', 'there is no product 9').body()).not.toHaveProperty('errors');
  });

  it('tell the caller nothing of an unexpected error', () => {
    const secretive = new Error('password authentication failed for user "product" at 10.0.0.3');
    const problem = problemOf(secretive);
    expect(problem.code).toBe('internal');
    expect(JSON.stringify(problem.body())).not.toMatch(/password|10\.0\.0\.3/);
    expect(problem.cause).toBe(secretive);
  });

  it.each([
    ['upstream_error', 502],
    ['upstream_timeout', 504],
    ['unavailable', 503],
  ] as const)('report %s of another service as %d, without its address', (code, status) => {
    const problem = problemOf(new UpstreamError(code, 'GET http://10.0.0.7:8080/x answered 500', { status: 500 }));
    expect(problem.body()).toMatchObject({ status, code });
    expect(problem.message).not.toContain('10.0.0.7');
  });

  it.each([
    [413, 'payload_too_large'],
    [415, 'unsupported_media_type'],
    [414, 'invalid_request'],
    [503, 'unavailable'],
    [599, 'internal'],
  ])('take over what the framework says with %d as %s', (statusCode, code) => {
    expect(problemOf(Object.assign(new Error('x'), { statusCode })).code).toBe(code);
  });
});
