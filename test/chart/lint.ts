import { knownLabels } from '../../dashboards/contract/series.ts';
import { readPromql } from '../../dashboards/promql.ts';
import type { Wire } from './rendered.ts';

/** Stands for the range that Grafana finds by the interval of the scrapes; nobody would write it by hand. */
const fitting = '73s';

/** An expression as Prometheus gets it. */
const substituted = (expression: string) =>
  expression.replaceAll('$__rate_interval', fitting).replaceAll(/\$(namespace|service)\b/g, 'any');

/** Types of panels that can show single requests. */
const drawsDots = ['timeseries', 'heatmap'];

/** Metrics whose buckets have exemplars. */
const withExemplars = [
  'http_request_duration_seconds',
  'outbound_request_duration_seconds',
  'grpc_request_duration_seconds',
];

/** What there is to say against a query, and the legend of what it gives. */
export function queryFaults({ expr, legendFormat = '' }: Wire): readonly string[] {
  const { faults, selectors, ranges, labels } = readPromql(substituted(expr), knownLabels);
  const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
  return [
    ...faults,
    ...named.filter((label) => !labels.has(label)).map((label) => `the legend names ${label}, which the query drops`),
    ...selectors.flatMap(({ metric, matchers }) =>
      matchers
        .filter(({ operator, value }) => operator.endsWith('~') && /\.[*+]/.test(value))
        .map(({ label }) => `${metric} takes any ${label}: leave the matcher out`),
    ),
    ...ranges.filter((range) => range !== fitting).map((range) => `[${range}] does not fit the scrapes`),
  ];
}

/** Whether a query leaves out the single requests that its buckets have the traces of. */
function hidesExemplars({ expr, exemplar }: Wire): boolean {
  const { selectors } = readPromql(substituted(expr), knownLabels);
  return exemplar !== true && selectors.some(({ metric }) => withExemplars.some((it) => metric === `${it}_bucket`));
}

/** What there is to say against a panel, whatever its data source. */
export function panelFaults({
  type,
  title,
  description = '',
  fieldConfig,
  targets,
  datasource,
}: Wire): readonly string[] {
  const { unit, links = [] } = fieldConfig.defaults;
  return [
    ...(title ? [] : ['it has no title']),
    ...(description.endsWith('.') ? [] : ['it does not say in a sentence what it shows']),
    ...(/^[a-z]+$/.test(unit ?? '') ? [] : ['it has no unit']),
    ...(links.length > 0 ? [] : ['it leads nowhere']),
    ...(targets.length > 0 ? [] : ['it asks for nothing']),
    ...(datasource.type === 'prometheus' ? targets.flatMap(queryFaults) : []),
    ...(drawsDots.includes(type) && targets.some(hidesExemplars)
      ? ['it does not show the exemplars that there are']
      : []),
  ];
}
