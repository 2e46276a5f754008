import { ClusterError, type ClusterErrorKind } from './errors.ts';

/** The `Status` object by which the API server explains a refusal. */
export interface ApiStatus {
  readonly code: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly { readonly reason?: string; readonly field?: string }[];
  };
}

/** What a refusal says, also when somebody between us and the API server answered with anything but a `Status`. */
export function statusOf(httpStatus: number, text: string): ApiStatus {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && 'kind' in body && body.kind === 'Status') {
      return { ...(body as Partial<ApiStatus>), code: httpStatus };
    }
  } catch {
    // Not JSON: what there is of it is all that can be said.
  }
  return { code: httpStatus, message: text.trim().slice(0, 200) || `HTTP ${httpStatus}` };
}

/** The error for a request that was answered, but not with success. `what` is what was attempted, and on what. */
export function refusalOf(what: string, status: ApiStatus, retryAfterHeader?: string | string[]): ClusterError {
  const kind = kindOf(status);
  return new ClusterError(kind, `${what}: ${kind}: ${status.message ?? status.reason ?? `HTTP ${status.code}`}`, {
    retryAfterMs: retryAfterMs(status, retryAfterHeader),
    cause: status,
  });
}

/** The error for a request without a usable answer. */
export function failureOf(what: string, error: unknown): ClusterError {
  if (error instanceof ClusterError) return error;
  return new ClusterError('unavailable', `${what}: unavailable: ${reasonOf(error)}`, { cause: error });
}

/** Whether the API server no longer knows the resourceVersion that was asked for: all has to be listed anew. */
export function isExpired(error: unknown): boolean {
  return error instanceof ClusterError && (error.cause as ApiStatus | undefined)?.code === 410;
}

function kindOf({ code, reason, message, details }: ApiStatus): ClusterErrorKind {
  if (details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating')) return 'gone';
  if (code === 404 || code === 410) return 'gone';
  if (code === 401 || code === 403) return 'denied';
  if (code === 409) return reason === 'AlreadyExists' ? 'exists' : 'conflict';
  // Another object has taken the name since: the uid that a write names is checked as a field that cannot change.
  if (code === 422 && details?.causes?.some((cause) => cause.field === 'metadata.uid')) return 'conflict';
  if (code === 429) return 'unavailable';
  // A manifest that does not fit the schema is answered with 500 by server-side apply; it will not fit next time.
  if (code === 500 && message?.startsWith('failed to create typed patch object')) return 'invalid';
  return code >= 400 && code < 500 ? 'invalid' : 'unavailable';
}

function retryAfterMs({ code, details }: ApiStatus, header: string | string[] | undefined): number | undefined {
  if (code !== 429 && code < 500) return undefined;
  const seconds = Number(header ?? details?.retryAfterSeconds);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
}

/** A connection attempt to a name with several addresses fails with several errors and no message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(reasonOf).join(', ');
  if (!(error instanceof Error)) return String(error);
  return error.name === 'TimeoutError' ? 'no answer before the deadline' : error.message;
}
