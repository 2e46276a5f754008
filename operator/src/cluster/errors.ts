/**
 * - `exists`: create found an object of that name.
 * - `conflict`: the object changed meanwhile; weather, try again.
 * - `denied`: the operator's rights do not allow it (401, 403), or an admission rule or quota refused it.
 * - `invalid`: the API server refuses the object as it is; the same again will fail again.
 * - `gone`: the object, its namespace or its kind is not there (404, or a namespace that is being deleted).
 * - `unavailable`: no answer, a deadline, 429 or 5xx; try again, not before `retryAfterMs`.
 */
export type ClusterErrorKind = 'exists' | 'conflict' | 'denied' | 'invalid' | 'gone' | 'unavailable';

/** What went wrong between the operator and the API server, classified once. The message says what was attempted on what, and why it failed. */
export class ClusterError extends Error {
  override readonly name = 'ClusterError';
  readonly kind: ClusterErrorKind;
  /** Milliseconds the API server asked to wait (Retry-After), if it did. */
  readonly retryAfterMs: number | undefined;

  constructor(
    kind: ClusterErrorKind,
    message: string,
    options: { retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.retryAfterMs = options.retryAfterMs;
  }
}
