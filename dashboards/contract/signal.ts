/** A metric as it is at `/metrics`. */
export interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Its own labels; those of the target (job, namespace, service, pod) and a histogram's `le` are not listed. */
  readonly labels: readonly string[];
  readonly meaning: string;
  /** What has to happen before it has a series; without it there is one from the start. */
  readonly after?: string;
  /** Where it is at all; without it, everywhere. */
  readonly only?: string;
}

/** A kind of span. */
export interface Span {
  /** An attribute's name in braces stands for its value. */
  readonly name: string;
  readonly kind: 'server' | 'client' | 'producer' | 'consumer' | 'internal';
  /** Attributes that each of them has. */
  readonly always: readonly string[];
  /** Attributes that some have. */
  readonly sometimes?: readonly string[];
  readonly meaning: string;
  /** What has to happen before there is one, where orders alone do not bring it about. */
  readonly after?: string;
}

/** A kind of log line. */
export interface Line {
  /** What stands for any text is in braces. */
  readonly message: string;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** Its own keys; those that every line has are not listed. */
  readonly keys: readonly string[];
  /** Keys that only some have. */
  readonly sometimes?: readonly string[];
  /** There whenever orders come in. */
  readonly usual?: true;
}

/** What a part of a program tells of itself. */
export interface Signals {
  readonly metrics?: readonly Metric[];
  readonly spans?: readonly Span[];
  readonly lines?: readonly Line[];
}

/** A program of the platform. */
export interface Emitter extends Required<Signals> {
  /** As `service` has it in metrics, traces and logs. */
  readonly name: string;
  /** The job of Prometheus that asks it. */
  readonly job: string;
  /** Keys that each of its log lines has. */
  readonly keys: readonly string[];
  /** Who is asked, or hears, in a trace that this one takes part in. */
  readonly reaches: readonly string[];
}

/** All parts of a program in one. */
export function together(parts: readonly Signals[]): Required<Signals> {
  return {
    metrics: parts.flatMap(({ metrics = [] }) => metrics),
    spans: parts.flatMap(({ spans = [] }) => spans),
    lines: parts.flatMap(({ lines = [] }) => lines),
  };
}

type Details = Partial<Pick<Metric, 'after' | 'only'>>;

export const counter = (name: string, labels: readonly string[], meaning: string, details: Details = {}): Metric => ({
  name,
  type: 'counter',
  labels,
  meaning,
  ...details,
});

export const gauge = (name: string, labels: readonly string[], meaning: string, details: Details = {}): Metric => ({
  name,
  type: 'gauge',
  labels,
  meaning,
  ...details,
});

export const histogram = (name: string, labels: readonly string[], meaning: string, details: Details = {}): Metric => ({
  name,
  type: 'histogram',
  labels,
  meaning,
  ...details,
});

const line =
  (level: Line['level']) =>
  (message: string, keys: readonly string[] = [], sometimes?: readonly string[]): Line => ({
    message,
    level,
    keys,
    ...(sometimes === undefined ? {} : { sometimes }),
  });

export const debug = line('debug');
export const info = line('info');
export const warn = line('warn');
export const error = line('error');

/** A line that is there whenever orders come in. */
export const usual = (it: Line): Line => ({ ...it, usual: true });

/** Said aloud once, and again in detail. */
export const complaint = (
  message: string,
  keys: readonly string[],
  sometimes: readonly string[] = [],
): readonly Line[] => [warn(message, keys, sometimes), debug(message, keys, sometimes)];
