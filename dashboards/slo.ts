import { windows } from './contract/rules.ts';
import { dashboard, type Row } from './dashboard.ts';
import { chosenPlace, rowPlace, searchTraces, toOverview, toService, toSlo } from './links.ts';
import { lines, number, table } from './panel.ts';
import { aService, chosen } from './service/chosen.ts';

const links = [toService(chosenPlace), searchTraces('${service}')];
const legend = '{{slo}}';
const of = (rule: string) => `${rule}{${chosen}}`;
const left = (which = '') => `slo:error_budget:remaining_ratio${which}`;
/** The objective is about 30 days. */
const wholeSeconds = 30 * 24 * 3600;

/** How long what is left lasts at the pace of a window; 30 days where it lasts longer: by then the window has moved on. */
const lasts = (window: (typeof windows)[number]) =>
  `clamp(${of('slo:error_budget:remaining_ratio')} / clamp_min(${of(`slo:burn_rate:ratio_rate${window}`)}, 0.000001), 0, 1) * ${wholeSeconds}`;

const all: Row = {
  title: 'All services',
  panels: [
    table(
      {
        title: 'Error budgets',
        description: 'What is left of each error budget of 30 days: 100 % untouched, 0 % used up.',
        unit: 'percentunit',
        queries: [{ expr: left() }],
        links: [toSlo(rowPlace), toService(rowPlace)],
        width: 8,
      },
      { namespace: 'Namespace', service: 'Microservice', slo: 'Service level', Value: 'Left' },
    ),
    lines({
      title: 'Error budgets over time',
      description: 'What is left of each: a steep line is what to look at first.',
      unit: 'percentunit',
      queries: [{ expr: left(), legend: '{{service}}, {{slo}}' }],
      links: [toSlo({ namespace: '${__field.labels.namespace}', service: '${__field.labels.service}' })],
      width: 8,
    }),
    table(
      {
        title: 'Alerts of services',
        description: 'What fires now, or is about to. docs/runbooks.md says what to do.',
        unit: 'none',
        queries: [{ expr: 'ALERTS{severity=~"page|ticket",service!=""}' }],
        links: [toService(rowPlace)],
        width: 8,
      },
      {
        alertname: 'Alert',
        namespace: 'Namespace',
        service: 'Microservice',
        severity: 'Severity',
        alertstate: 'State',
      },
    ),
  ],
};

const one: Row = {
  title: '$service',
  panels: [
    number({
      title: 'Objective',
      description: 'The share of requests that spec.observability.slo promises to be answered well, and in time.',
      unit: 'percentunit',
      queries: [{ expr: of('slo:objective:ratio'), legend }],
      links,
      width: 6,
    }),
    number({
      title: 'Budget left',
      description: 'What is left of the error budget of 30 days.',
      unit: 'percentunit',
      queries: [{ expr: left(`{${chosen}}`), legend }],
      goodFrom: 0.000001,
      links,
      width: 6,
    }),
    number(
      {
        title: 'Burn rate, 1 h',
        description: 'How fast the budget goes: 1 uses it up in 30 days, 14.4 uses a fiftieth of it in an hour.',
        unit: 'none',
        queries: [{ expr: of('slo:burn_rate:ratio_rate1h'), legend }],
        links,
        width: 6,
      },
      14.4,
    ),
    number({
      title: 'Lasts for',
      description: 'How long the budget lasts at the pace of the last hour; 30 days means: for good.',
      unit: 's',
      queries: [{ expr: lasts('1h'), legend }],
      goodFrom: 24 * 3600,
      links,
      width: 6,
    }),
    lines({
      title: 'Bad requests',
      description:
        'Share of the requests of five minutes and an hour that failed (availability) or took too long (latency).',
      unit: 'percentunit',
      queries: (['5m', '1h'] as const).map((window) => ({
        expr: of(`slo:sli_error:ratio_rate${window}`),
        legend: `{{slo}}, ${window}`,
      })),
      links,
      width: 8,
    }),
    lines({
      title: 'Burn rates of availability',
      description:
        'By window. A page: above 14.4 over 1 h and 5 m, or 6 over 6 h and 30 m. A ticket: 3 over 1 d, 1 over 3 d.',
      unit: 'none',
      queries: burning('availability'),
      links,
      width: 8,
    }),
    lines({
      title: 'Burn rates of latency',
      description: 'The same, of requests that take longer than the service promises.',
      unit: 'none',
      queries: burning('latency'),
      links,
      width: 8,
    }),
  ],
};

function burning(slo: string) {
  return windows.map((window) => ({
    expr: `slo:burn_rate:ratio_rate${window}{${chosen},slo="${slo}"}`,
    legend: window,
  }));
}

/** What services promise, what they have left of it, and how fast it goes. */
export const slo = dashboard({
  uid: 'platform-slo',
  title: 'Service levels',
  description: 'What each Microservice promises, what is left of its error budget, how fast it goes, and what fires.',
  variables: aService,
  onward: toOverview,
  rows: [all, one],
});
