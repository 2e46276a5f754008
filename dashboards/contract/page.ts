import { emitters, lineKeys, targetLabels } from './platform.ts';
import { rules } from './rules.ts';
import type { Emitter, Line, Metric, Span } from './signal.ts';

const code = (text: string) => `\`${text}\``;
const codes = (texts: readonly string[]) => texts.map(code).join(', ');
const cell = (text: string) => text.replaceAll('|', '\\|');

/** The reference page of all signals: docs/reference/telemetry.md. */
export function telemetryPage(): string {
  return [
    '<!-- Generated from dashboards/contract by `npm run generate`; do not edit. -->',
    '# Telemetry',
    '',
    'Every metric, span and log line of the programs of this repository. Dashboards and alerts are held to it without a',
    'cluster, and what arrives in Prometheus, Jaeger and the logs of pods is held to it on one: what is declared arrives, and',
    'nothing else does.',
    '',
    '## Metrics',
    '',
    `Prometheus adds ${codes(targetLabels)}; a label of a metric that has one of these names becomes \`exported_…\`.`,
    '',
    '| Metric | Type | Labels | Of | Meaning |',
    '| --- | --- | --- | --- | --- |',
    ...grouped((emitter) => emitter.metrics, metricRow),
    '',
    '## Recording rules',
    '',
    'What Prometheus makes of them; these have no other labels.',
    '',
    '| Series | Labels | Meaning |',
    '| --- | --- | --- |',
    ...rules.map(({ name, labels, meaning }) => `| ${code(name)} | ${codes(labels)} | ${cell(meaning)} |`),
    '',
    '## Spans',
    '',
    'The name of an attribute in braces stands for its value. An attribute in parentheses is not on every span.',
    '',
    '| Span | Kind | Attributes | Of | Meaning |',
    '| --- | --- | --- | --- | --- |',
    ...grouped((emitter) => emitter.spans, spanRow),
    '',
    'Traces lead from one to the other:',
    '',
    ...emitters
      .filter(({ reaches }) => reaches.length > 0)
      .map(({ name, reaches }) => `- ${name} → ${reaches.join(', ')}`),
    '',
    '## Log lines',
    '',
    `One JSON object a line. Each has ${codes(lineKeys.always)}; services add \`service\` and \`version\`, the operator and the`,
    `collector of logs \`component\`; ${codes(lineKeys.sometimes)} are there within a trace or a request.`,
    '',
    '| Message | Level | Keys | Of |',
    '| --- | --- | --- | --- |',
    ...grouped((emitter) => emitter.lines, lineRow),
    '',
  ].join('\n');
}

/** A row for each signal, with all who have it. */
function grouped<T extends object>(
  of: (emitter: Emitter) => readonly T[],
  row: (signal: T, whose: string) => string,
): readonly string[] {
  const whose = new Map<string, { readonly signal: T; readonly names: string[] }>();
  for (const emitter of emitters) {
    for (const signal of of(emitter)) {
      const key = JSON.stringify(signal);
      const found = whose.get(key) ?? { signal, names: [] };
      found.names.push(emitter.name);
      whose.set(key, found);
    }
  }
  return [...whose.values()].map(({ signal, names }) => row(signal, ownersOf(names)));
}

function ownersOf(names: readonly string[]): string {
  const services = emitters.filter(({ job }) => job === 'microservices').map(({ name }) => name);
  if (names.length === emitters.length) return 'all';
  if (!services.every((name) => names.includes(name))) return names.join(', ');
  return ['every service', ...names.filter((name) => !services.includes(name))].join(', ');
}

function metricRow({ name, type, labels, meaning, after, only }: Metric, whose: string): string {
  const when = after === undefined ? '' : ` Only after: ${after}.`;
  const where = only === undefined ? '' : ` Only with: ${only}.`;
  return `| ${code(name)} | ${type} | ${codes(labels)} | ${whose} | ${cell(meaning + when + where)} |`;
}

function spanRow({ name, kind, always, sometimes = [], meaning, after }: Span, whose: string): string {
  const attributes = [...always.map(code), ...sometimes.map((it) => `(${code(it)})`)].join(', ');
  const when = after === undefined ? '' : ` Only when ${after}.`;
  return `| ${code(name)} | ${kind} | ${attributes} | ${whose} | ${cell(meaning + when)} |`;
}

function lineRow({ message, level, keys, sometimes = [] }: Line, whose: string): string {
  const all = [...keys.map(code), ...sometimes.map((it) => `(${code(it)})`)].join(', ');
  return `| ${message} | ${level} | ${all} | ${whose} |`;
}
