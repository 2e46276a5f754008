import type { Line } from './line-cutter.ts';

/** A line as Loki keeps it. */
export interface Entry {
  /** When the node took it from the container: nanoseconds since 1970. */
  readonly time: bigint;
  readonly line: string;
  /** What of the line can be asked for without reading it. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Whether the end of it was left out. */
  readonly isCut: boolean;
}

const stamp = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) /;

/** The entry of a line that begins with the time of the node; undefined for one that does not, which no container wrote. */
export function entryOf({ text, leftOut }: Line): Entry | undefined {
  const [prefix = '', seconds = '', fraction = '', zone = ''] = stamp.exec(text) ?? [];
  const ms = Date.parse(seconds + zone);
  if (prefix === '' || Number.isNaN(ms)) return undefined;
  const written = text.slice(prefix.length).replace(/\r$/, '');
  return {
    time: BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0')),
    line: leftOut === 0 ? written : `${written} [cut: ${leftOut} bytes left out]`,
    metadata: metadataOf(written),
    isCut: leftOut > 0,
  };
}

/** The names that loggers have for the same thing. */
const names = {
  trace_id: ['trace_id', 'traceId', 'traceID', 'trace.id'],
  span_id: ['span_id', 'spanId', 'spanID', 'span.id'],
  level: ['level', 'severity', 'log.level', 'lvl'],
} as const;

const forms = {
  trace_id: /^[0-9a-f]{32}$/,
  span_id: /^[0-9a-f]{16}$/,
  level: /^[a-z]{1,16}$/,
} as const;

/** Levels that are written as numbers, as pino and bunyan do. */
const levels: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

/** Level and trace of a line that is a JSON object; nothing of one that is not. */
export function metadataOf(line: string): Readonly<Record<string, string>> {
  const fields = objectIn(line);
  if (fields === undefined) return {};
  const found: Record<string, string> = {};
  for (const name of ['trace_id', 'span_id', 'level'] as const) {
    const value = names[name].map((key) => textOf(fields[key])).find((text) => text !== undefined);
    const text = value?.toLowerCase();
    if (text !== undefined && forms[name].test(text)) found[name] = text;
  }
  return found;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? levels[value] : undefined;
}

function objectIn(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{') || !line.trimEnd().endsWith('}')) return undefined;
  try {
    return JSON.parse(line) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}
