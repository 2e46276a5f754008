import { UpstreamError } from '../calls/upstream-error.ts';

/** Every kind of error an answer may report: the whole list, with the HTTP status and title of each. */
export const problems = {
  invalid_request: { status: 400, title: 'Bad Request' },
  unauthenticated: { status: 401, title: 'Unauthorized' },
  payment_declined: { status: 402, title: 'Payment Required' },
  forbidden: { status: 403, title: 'Forbidden' },
  not_found: { status: 404, title: 'Not Found' },
  method_not_allowed: { status: 405, title: 'Method Not Allowed' },
  request_timeout: { status: 408, title: 'Request Timeout' },
  conflict: { status: 409, title: 'Conflict' },
  out_of_stock: { status: 409, title: 'Conflict' },
  idempotency_key_in_use: { status: 409, title: 'Conflict' },
  payload_too_large: { status: 413, title: 'Content Too Large' },
  unsupported_media_type: { status: 415, title: 'Unsupported Media Type' },
  idempotency_key_reused: { status: 422, title: 'Unprocessable Content' },
  too_many_requests: { status: 429, title: 'Too Many Requests' },
  internal: { status: 500, title: 'Internal Server Error' },
  upstream_error: { status: 502, title: 'Bad Gateway' },
  unavailable: { status: 503, title: 'Service Unavailable' },
  upstream_timeout: { status: 504, title: 'Gateway Timeout' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof problems;

export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** The body of an error answer, as RFC 9457 has it, with our `code` and the faulty fields as extensions. */
export interface ProblemBody {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ProblemCode;
  readonly errors?: readonly FieldError[];
}

export const problemMediaType = 'application/problem+json';

/** An error meant for the caller: its detail is sent as it is; its cause is only logged. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly errors: readonly FieldError[] | undefined;

  constructor(code: ProblemCode, detail: string, options: { errors?: readonly FieldError[]; cause?: unknown } = {}) {
    super(detail, 'cause' in options ? { cause: options.cause } : {});
    this.code = code;
    this.errors = options.errors;
  }

  get status(): number {
    return problems[this.code].status;
  }

  body(): ProblemBody {
    return {
      type: 'about:blank',
      ...problems[this.code],
      detail: this.message,
      code: this.code,
      ...(this.errors === undefined ? {} : { errors: this.errors }),
    };
  }
}

const codeOfStatus: Readonly<Record<number, ProblemCode>> = {
  404: 'not_found',
  408: 'request_timeout',
  409: 'conflict',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  503: 'unavailable',
};

const upstreamDetail: Readonly<Record<UpstreamError['code'], string>> = {
  upstream_error: 'a service that this one depends on failed; try again later',
  upstream_timeout: 'a service that this one depends on did not answer in time; try again later',
  unavailable: 'a service that this one depends on cannot take requests just now; try again later',
};

/**
 * Whatever was thrown, as a Problem. Only errors that say by a 4xx `statusCode` that the caller is at fault keep
 * their message; of all others the caller learns nothing but that they happened.
 */
export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  if (thrown instanceof UpstreamError) return new Problem(thrown.code, upstreamDetail[thrown.code], { cause: thrown });
  const status = statusOf(thrown);
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  if (status >= 400 && status < 500) {
    return new Problem(codeOfStatus[status] ?? 'invalid_request', detail, { cause: thrown });
  }
  if (status === 503) return new Problem('unavailable', 'no answer in time; try again later', { cause: thrown });
  return new Problem('internal', 'something went wrong on our side; the trace tells what', { cause: thrown });
}

function statusOf(thrown: unknown): number {
  if (typeof thrown !== 'object' || thrown === null || !('statusCode' in thrown)) return 500;
  return typeof thrown.statusCode === 'number' ? thrown.statusCode : 500;
}
