/** A time as Prometheus writes it: seconds, minutes or hours. */
export type Duration = `${number}${'s' | 'm' | 'h'}`;

/** Something that is wrong, that somebody can do something about, and when that somebody is told. */
export interface Alert {
  /** Never changes: people silence it by its name. Also the heading of its runbook. */
  readonly name: string;
  /** PromQL that gives a series for each thing that is wrong, and none while all is well. */
  readonly expr: string;
  /** So long it has to be wrong without a break before it counts. */
  readonly for: Duration;
  /** So long it is still told of after it is over: for what mends itself before anybody has looked. */
  readonly keepFiring?: Duration;
  /** Somebody has to come now, or in the next working hours. */
  readonly severity: 'page' | 'ticket';
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

/** Alerts that are looked at together. */
export interface Group {
  readonly name: string;
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

/** The file that Prometheus reads. */
export function ruleFile(group: Group) {
  const rules = group.alerts.map((alert) => ({
    alert: alert.name,
    expr: alert.expr,
    for: alert.for,
    ...(alert.keepFiring === undefined ? {} : { keep_firing_for: alert.keepFiring }),
    labels: labelsOf(group, alert),
    annotations: annotationsOf(alert),
  }));
  return { groups: [{ name: group.name, interval: every, rules }] };
}
