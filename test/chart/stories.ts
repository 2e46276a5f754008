import {
  type Alert,
  annotationsOf,
  every,
  type Group,
  labelsOf,
  type Story,
  secondsIn,
} from '../../dashboards/alerts/alert.ts';

/** Every story of every alert, by what it is about. */
export function storiesOf(groups: readonly Group[]): readonly (readonly [string, string, Told])[] {
  return groups.flatMap((group) =>
    group.alerts.flatMap((alert) =>
      alert.stories.map((story) => [alert.name, story.title, { group, alert, story }] as const),
    ),
  );
}

interface Told {
  readonly group: Group;
  readonly alert: Alert;
  readonly story: Story;
}

/** The groups that a story needs where its own is not enough; all of them would take minutes to look at. */
const needed: Readonly<Record<string, readonly string[]>> = {
  services: ['slo', 'services'],
  slo: ['slo', 'budget'],
  budget: ['slo', 'budget'],
};

/**
 * A story as promtool tests it: at every single moment at which Prometheus looks, whether the alert fires, and what it says.
 * `rules` is the folder of the rule files.
 */
export function testFileOf({ group, alert, story }: Told, rules: string): object {
  const firing = {
    exp_labels: expectedLabels(group, alert, story),
    exp_annotations: expectedAnnotations(alert, story),
  };
  const tests = momentsOf(story).map((seconds) => ({
    alertname: alert.name,
    eval_time: `${seconds}s`,
    exp_alerts: firesAt(story, seconds) ? [firing] : [],
  }));
  const series = Object.entries(story.series).map(([name, values]) => ({ series: name, values }));
  return {
    rule_files: (needed[group.name] ?? [group.name]).map((name) => `${rules}/${name}.yaml`),
    evaluation_interval: every,
    tests: [{ interval: every, input_series: series, alert_rule_test: tests }],
  };
}

/** The moments of a story at which Prometheus looks, in seconds from its beginning. */
export function momentsOf({ lasts }: Story): readonly number[] {
  return Array.from({ length: secondsIn(lasts) / secondsIn(every) + 1 }, (_, at) => at * secondsIn(every));
}

/** Whether the alert is to fire at that moment of a story. */
export function firesAt({ fires }: Story, seconds: number): boolean {
  return fires !== undefined && seconds >= secondsIn(fires.from) && seconds < secondsIn(fires.until);
}

function expectedLabels(group: Group, alert: Alert, { fires }: Story) {
  return { ...fires?.labels, ...labelsOf(group, alert) };
}

/** A label that the series does not have stays as it was written, and then is not what Prometheus says. */
function expectedAnnotations(alert: Alert, { fires }: Story) {
  const put = (text: string) =>
    text.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (as, label: string) => fires?.labels?.[label] ?? as);
  return Object.fromEntries(Object.entries(annotationsOf(alert)).map(([name, text]) => [name, put(text)]));
}
