import { destination, type Logger, pino } from 'pino';

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * Structured log lines on standard output, written at once. Agreed keys: `microservice` (namespace/name), `child`
 * (kind namespace/name), `reason`, `err`, `ms`.
 */
export function openLog(level: LogLevel, component = 'operator'): Logger {
  return pino(
    {
      level,
      base: { component },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    destination({ dest: 1, sync: true }),
  );
}
