import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import {
  ATTR_DB_NAMESPACE,
  ATTR_DB_OPERATION_NAME,
  ATTR_DB_QUERY_TEXT,
  ATTR_DB_RESPONSE_STATUS_CODE,
  ATTR_DB_SYSTEM_NAME,
  ATTR_ERROR_TYPE,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
} from '@opentelemetry/semantic-conventions';
import pg from 'pg';
import { isTraced, tracer } from '../telemetry/tracing.ts';

/** The longest text of a statement that a span holds; ours are shorter. */
const maxTextLength = 2_000;

/**
 * A connection whose statements each have a client span, where what they are for is traced: what a service does of
 * itself, such as looking for work, has none. The text has placeholders, and values are never in a span.
 */
export class TracedClient extends pg.Client {
  // One signature for the driver's many: what is given is passed on as it is.
  override query(...given: unknown[]): never {
    const [text] = given;
    const ask = () => super.query(...(given as [string])) as unknown;
    return (typeof text === 'string' && isTraced() ? this.#inSpan(text, ask) : ask()) as never;
  }

  #inSpan(text: string, run: () => unknown): unknown {
    const operation = operationOf(text);
    const span = tracer().startSpan(`${operation} ${this.database ?? ''}`.trimEnd(), {
      kind: SpanKind.CLIENT,
      attributes: {
        [ATTR_DB_SYSTEM_NAME]: 'postgresql',
        [ATTR_DB_NAMESPACE]: this.database ?? '',
        [ATTR_DB_OPERATION_NAME]: operation,
        [ATTR_DB_QUERY_TEXT]: text.trim().replace(/\s+/g, ' ').slice(0, maxTextLength),
        [ATTR_SERVER_ADDRESS]: this.host,
        [ATTR_SERVER_PORT]: this.port,
      },
    });
    const answer = run();
    if (!(answer instanceof Promise)) {
      span.end();
      return answer;
    }
    return answer
      .catch((error: unknown) => {
        const { code } = error as { readonly code?: unknown };
        if (typeof code === 'string') span.setAttribute(ATTR_DB_RESPONSE_STATUS_CODE, code);
        span.setAttribute(ATTR_ERROR_TYPE, typeof code === 'string' ? code : 'no_answer');
        // Not the message: PostgreSQL quotes values in it.
        span.setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      })
      .finally(() => span.end());
  }
}

/** SELECT, INSERT, ... Of a WITH, what it leads up to. */
function operationOf(text: string): string {
  const first = /^\s*(\w+)/.exec(text)?.[1]?.toUpperCase() ?? 'UNKNOWN';
  if (first !== 'WITH') return first;
  return [...text.matchAll(/(?<!FOR |DO )\b(INSERT|UPDATE|DELETE)\b/g)].at(-1)?.[1] ?? 'SELECT';
}
