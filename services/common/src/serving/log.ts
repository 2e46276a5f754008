import { stdSerializers, stdTimeFunctions } from 'pino';
import { traceIds } from '../telemetry/tracing.ts';
import { redacted, withoutCredentials } from './redaction.ts';

type Fields = Record<string, unknown>;

/** How every service writes its log: JSON lines with the ids of the trace, and without what is secret. */
export function logOptions({ name, version, logLevel }: { name: string; version: string; logLevel: string }) {
  return {
    level: logLevel,
    base: { service: name, version },
    timestamp: stdTimeFunctions.isoTime,
    formatters: {
      level: (level: string) => ({ level }),
      log: ({ err, ...fields }: Fields) => {
        const kept = redacted(fields);
        return err === undefined ? kept : { ...kept, err };
      },
    },
    // PostgreSQL quotes the row that an error is about in its detail: what people entrusted to us is not for the log.
    serializers: { err: (error: Error) => redacted({ ...stdSerializers.err(error), detail: undefined }) },
    hooks: { streamWrite: withoutCredentials },
    mixin: traceIds,
  };
}
