/** A time as Prometheus writes it: seconds, minutes, hours or days. */
export type Duration = `${number}${'s' | 'm' | 'h' | 'd'}`;

/** Something that is wrong, that somebody can do something about, and when that somebody is told. */
export interface Alert {
  /** Never changes: people silence it by its name. Also the heading of its runbook. */
  readonly name: string;
  /**
   * PromQL that gives a series for each thing that is wrong, and none while all is well. Times in it are written as such,
   * thresholds too (`> 2m`), so that all of them can be shortened together: see {@link ruleFile}.
   */
  readonly expr: string;
  /** So long it has to be wrong without a break before it counts. */
  readonly for: Duration;
  /** So long it is still told of after it is over: for what mends itself before anybody has looked. */
  readonly keepFiring?: Duration;
  /** Somebody has to come now, or in the next working hours; none: nobody is told, and other alerts are held back by it. */
  readonly severity: 'page' | 'ticket' | 'none';
  /** What is wrong, in one line. */
  readonly summary: string;
  /** What follows from it. Both may name a label of the series: {{ $labels.pod }}. */
  readonly description: string;
  /** What it is held to, by tests. */
  readonly stories: readonly Story[];
}

/** What metrics show of something that happens, and whether the alert fires. */
export interface Story {
  /** What happens. */
  readonly title: string;
  /** The samples of each series, one every `every` from the beginning on, in the notation of promtool. */
  readonly series: Readonly<Record<string, string>>;
  readonly lasts: Duration;
  /** When it fires, and with which labels of the series: not before, and not after. Never, where it is left out. */
  readonly fires?: {
    readonly from: Duration;
    readonly until: Duration;
    readonly labels?: Readonly<Record<string, string>>;
  };
}

/** A series that Prometheus makes of others, each time that it looks, under a name of its own. */
export interface Recording {
  /** What it is of, of which figure, and how that came about, with colons in between. */
  readonly record: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** What is looked at together, in this order: series are made before it is judged by them. */
export interface Group {
  readonly name: string;
  /** How often, where that is not as often as anything. */
  readonly interval?: Duration;
  readonly recordings?: readonly Recording[];
  readonly alerts: readonly Alert[];
}

/** How often Prometheus looks whether something is wrong. */
export const every = '15s' satisfies Duration;

/** Where the runbooks are, as a path in the repository. The chart puts an address in its place. */
export const runbooks = 'docs/runbooks.md';

/** The labels of an alert that come from no series. */
export function labelsOf({ name }: Group, { severity }: Alert) {
  return { severity, component: name };
}

/** What people read; Prometheus puts in the labels. */
export function annotationsOf({ name, summary, description }: Alert) {
  return { summary, description, runbook_url: `${runbooks}#${name.toLowerCase()}` };
}

/** The file that Prometheus reads. With `faster`, whatever takes time takes that many times less: for tests. */
export function ruleFile(group: Group, faster = 1) {
  const { name, interval = every, recordings = [], alerts } = group;
  const text = (expr: string) => expr.replaceAll(times, (time) => shortened(time, faster));
  const records = recordings.map(({ record, expr, labels }) => ({
    record,
    expr: text(expr),
    ...(labels === undefined ? {} : { labels }),
  }));
  const rules = alerts.map((alert) => ({
    alert: alert.name,
    expr: text(alert.expr),
    for: shortened(alert.for, faster),
    ...(alert.keepFiring === undefined ? {} : { keep_firing_for: shortened(alert.keepFiring, faster) }),
    labels: labelsOf(group, alert),
    annotations: annotationsOf(alert),
  }));
  return { groups: [{ name, interval: shortened(interval, faster), rules: [...records, ...rules] }] };
}

/** The times in an expression; what is part of a name is none. */
const times = /(?<![\w."])\d+[smhd]\b/g;

const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** How many seconds a time is. */
export function secondsIn(duration: string): number {
  const unit = secondsOf[duration.at(-1) ?? ''];
  if (unit === undefined) throw new Error(`${duration} is in no unit that is known here`);
  return Number.parseFloat(duration) * unit;
}

function shortened(time: string, faster: number): string {
  return faster === 1 ? time : `${Math.ceil((secondsIn(time) * 1000) / faster)}ms`;
}
