import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { codeOf, grpcStatus, statusOf } from '../../../services/common/src/calls/grpc-status.ts';
import { type ProblemCode, problems } from '../../../services/common/src/serving/problem.ts';

const codes = Object.keys(problems) as ProblemCode[];

describe('the statuses of gRPC', () => {
  it('are numbered as gRPC numbers them, OK left out', () => {
    const theirs = Object.entries(status).filter(([name, number]) => typeof number === 'number' && name !== 'OK');
    expect(grpcStatus).toEqual(Object.fromEntries(theirs));
  });
});

describe('a problem that leaves by gRPC', () => {
  it('has one status for every code of the closed list', () => {
    expect(Object.fromEntries(codes.map((code) => [code, status[statusOf(code)]]))).toEqual({
      invalid_request: 'INVALID_ARGUMENT',
      unauthenticated: 'UNAUTHENTICATED',
      payment_declined: 'FAILED_PRECONDITION',
      forbidden: 'PERMISSION_DENIED',
      not_found: 'NOT_FOUND',
      method_not_allowed: 'UNIMPLEMENTED',
      request_timeout: 'DEADLINE_EXCEEDED',
      conflict: 'ALREADY_EXISTS',
      out_of_stock: 'FAILED_PRECONDITION',
      idempotency_key_in_use: 'ABORTED',
      payload_too_large: 'RESOURCE_EXHAUSTED',
      unsupported_media_type: 'INVALID_ARGUMENT',
      idempotency_key_reused: 'FAILED_PRECONDITION',
      too_many_requests: 'RESOURCE_EXHAUSTED',
      internal: 'INTERNAL',
      upstream_error: 'INTERNAL',
      unavailable: 'UNAVAILABLE',
      upstream_timeout: 'DEADLINE_EXCEEDED',
    });
  });

  it('arrives with exactly its code', () => {
    for (const code of codes) expect(codeOf(statusOf(code), code)).toBe(code);
  });

  it('says UNAVAILABLE, which invites to ask again, for unavailable alone', () => {
    expect(codes.filter((code) => statusOf(code) === status.UNAVAILABLE)).toEqual(['unavailable']);
  });
});

describe('a status that arrives without a code', () => {
  it('has one code of the closed list for every status', () => {
    const read = Object.entries(grpcStatus).map(([name, number]) => [name, codeOf(number)]);
    expect(Object.fromEntries(read)).toEqual({
      CANCELLED: 'upstream_error',
      UNKNOWN: 'upstream_error',
      INVALID_ARGUMENT: 'invalid_request',
      DEADLINE_EXCEEDED: 'upstream_timeout',
      NOT_FOUND: 'not_found',
      ALREADY_EXISTS: 'conflict',
      PERMISSION_DENIED: 'upstream_error',
      RESOURCE_EXHAUSTED: 'upstream_error',
      FAILED_PRECONDITION: 'conflict',
      ABORTED: 'conflict',
      OUT_OF_RANGE: 'invalid_request',
      UNIMPLEMENTED: 'upstream_error',
      INTERNAL: 'upstream_error',
      UNAVAILABLE: 'unavailable',
      DATA_LOSS: 'upstream_error',
      UNAUTHENTICATED: 'unauthenticated',
    });
  });

  it('is read the same where what came beside it is no code of ours', () => {
    for (const sent of ['', 'teapot', 'constructor', '__proto__', undefined, Buffer.from('conflict')]) {
      expect(codeOf(status.NOT_FOUND, sent)).toBe('not_found');
    }
    expect(codeOf(99)).toBe('upstream_error');
  });
});
