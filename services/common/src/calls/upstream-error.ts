/** Another service did not give the answer that was asked for. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  /**
   * `unavailable`: it says so itself, or it was not asked, since too many requests to it are under way or its circuit
   * breaker is open.
   */
  readonly code: 'upstream_error' | 'upstream_timeout' | 'unavailable';
  /** The HTTP status it answered with; undefined if it did not answer. */
  readonly status: number | undefined;

  constructor(
    code: UpstreamError['code'],
    message: string,
    options: { readonly status?: number; readonly cause?: unknown } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : {});
    this.code = code;
    this.status = options.status;
  }
}
