import type { Registry } from 'prom-client';

/** The content type of OpenMetrics, the one text format that has exemplars. */
export const openMetricsType = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** What `Registry.getMetricsAsJSON` gives; the library's types leave out the names of samples, and their exemplars. */
interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly Sample[];
}

interface Sample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly metricName?: string;
  /** `null` in a histogram of the library's own. */
  readonly exemplar?: Exemplar | null | undefined;
}

/** The trace that a sample of a metric points at. */
export interface Exemplar {
  readonly labelSet: Readonly<Record<string, string>>;
  readonly value: number;
  /** Seconds since 1970. */
  readonly timestamp: number;
}

/**
 * All metrics in OpenMetrics, exemplars included. The library writes that format, too, but only for a registry that
 * speaks nothing else from then on: it renames its counters for good. The series have the same names in both formats.
 */
export async function openMetrics(registry: Registry): Promise<string> {
  const families = (await registry.getMetricsAsJSON()) as unknown as readonly Family[];
  return `${families.map(written).join('')}# EOF\n`;
}

/** Whether an `Accept` header asks for OpenMetrics at least as much as for plain text; one that names neither does not. */
export function asksForOpenMetrics(accept: string | undefined): boolean {
  const wanted = (accept ?? '').split(',').map(mediaRange);
  const quality = (type: string) => Math.max(0, ...wanted.filter((it) => it.type === type).map((it) => it.quality));
  const openMetrics = quality('application/openmetrics-text');
  return openMetrics > 0 && openMetrics >= quality('text/plain');
}

function mediaRange(text: string): { readonly type: string; readonly quality: number } {
  const [type = '', ...parameters] = text.split(';').map((it) => it.trim().toLowerCase());
  const quality = Number(parameters.find((it) => it.startsWith('q='))?.slice(2) ?? 1);
  return { type, quality: Number.isNaN(quality) ? 0 : quality };
}

function written({ name, help, type, values }: Family): string {
  // A counter's family lacks the ending that its samples have.
  const family = type === 'counter' ? name.replace(/_total$/, '') : name;
  const ending = type === 'counter' ? '_total' : '';
  const lines = values.map(({ metricName, labels, value, exemplar }) => {
    const sample = `${metricName ?? `${family}${ending}`}${labelsOf(labels)} ${numberOf(value)}`;
    return exemplar ? `${sample} # ${exemplarOf(exemplar)}\n` : `${sample}\n`;
  });
  return `# HELP ${family} ${escaped(help)}\n# TYPE ${family} ${type}\n${lines.join('')}`;
}

function exemplarOf({ labelSet, value, timestamp }: Exemplar): string {
  return `${labelsOf(labelSet)} ${numberOf(value)} ${timestamp}`;
}

function labelsOf(labels: Readonly<Record<string, string | number>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(String(value))}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function numberOf(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}

function escaped(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/"/g, '\\"');
}
