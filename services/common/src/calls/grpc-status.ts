import { type ProblemCode, problems } from '../serving/problem.ts';

/** The statuses of gRPC but OK, numbered as on the wire. */
export const grpcStatus = {
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type GrpcStatus = keyof typeof grpcStatus;

/** The trailing metadata that carries a problem's code: there are more codes than statuses. */
export const problemCodeKey = 'problem-code';

/** UNAVAILABLE stands for `unavailable` alone: whoever gets it may ask again. */
const statuses: Readonly<Record<ProblemCode, GrpcStatus>> = {
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
};

/** What a status means that came without a code: then gRPC itself spoke, or a service that is not ours. */
const codes: Readonly<Record<GrpcStatus, ProblemCode>> = {
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
};

const codeOfNumber: ReadonlyMap<number, ProblemCode> = new Map(
  Object.entries(grpcStatus).map(([name, number]) => [number, codes[name as GrpcStatus]]),
);

/** The number of the status with which a call fails that ends in a problem. */
export function statusOf(code: ProblemCode): number {
  return grpcStatus[statuses[code]];
}

/** The code with which the peer's call ended: `sent`, its `problem-code`, where that is one; else what its status says. */
export function codeOf(status: number, sent?: unknown): ProblemCode {
  if (typeof sent === 'string' && Object.hasOwn(problems, sent)) return sent as ProblemCode;
  return codeOfNumber.get(status) ?? 'upstream_error';
}
