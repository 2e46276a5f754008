import { emitters, targetLabels } from './platform.ts';
import { rules } from './rules.ts';
import type { Metric } from './signal.ts';

/** What Prometheus itself says of each target. */
const ofScraping = [
  'up',
  'scrape_duration_seconds',
  'scrape_samples_scraped',
  'scrape_samples_post_metric_relabeling',
  'scrape_series_added',
];

/** Jobs of programs of others: of these only what every process tells is relied upon. */
const foreign = ['prometheus', 'jaeger', 'grafana', 'loki', 'alertmanager'];
const ofEveryProcess = ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'process_start_time_seconds'];

/** The names of the series of a metric. */
export function seriesOf({ name, type }: Metric): readonly string[] {
  return type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
}

/** The labels of a series as it is in Prometheus: a label that the target has, too, is put aside. */
export function labelsOf(metric: Metric, series: string): readonly string[] {
  const own = metric.labels.map((label) => (isOfTarget(label) ? `exported_${label}` : label));
  return [...own, ...targetLabels, ...(series.endsWith('_bucket') ? ['le'] : [])];
}

const isOfTarget = (label: string) => targetLabels.some((it) => it === label);

/** The labels that series of that name may have, asked of one job or of all; undefined where nobody has such a series. */
export function knownLabels(series: string, job?: string): ReadonlySet<string> | undefined {
  const rule = rules.find(({ name }) => name === series);
  if (rule !== undefined) return new Set([...rule.labels, ...(series === 'ALERTS' ? targetLabels : [])]);
  if (ofScraping.includes(series)) return new Set(targetLabels);
  if (ofEveryProcess.includes(series) && (job === undefined || foreign.includes(job))) return new Set(targetLabels);
  const found = emitters
    .filter((emitter) => job === undefined || emitter.job === job)
    .flatMap(({ metrics }) => metrics)
    .filter((metric) => seriesOf(metric).includes(series));
  return found.length === 0 ? undefined : new Set(found.flatMap((metric) => labelsOf(metric, series)));
}
