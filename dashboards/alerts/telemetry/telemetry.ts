import type { Alert } from '../alert.ts';
import { selector } from '../selectors.ts';

const target = (pod: string) => `up{job="jaeger",namespace="platform",service="jaeger",pod="${pod}"}`;
const spans = (outcome: string) =>
  `telemetry_spans_total{job="microservices",namespace="shop",service="cart",pod="a",outcome="${outcome}"}`;

/** Whether what is told of the platform gets there. */
export const alerts: readonly Alert[] = [
  {
    name: 'TargetDown',
    // Whether an operator answers says OperatorDoesNotAnswer.
    expr: 'up{job!="operator"} == 0',
    for: '10m',
    severity: 'ticket',
    summary: 'The pod {{ $labels.pod }} of {{ $labels.service }} runs, and does not answer Prometheus.',
    description: 'What it does is not seen, and no alert speaks of it.',
    stories: [
      {
        title: 'one pod does not answer for a quarter of an hour',
        series: { [target('a')]: '1x80', [target('b')]: '1x4 0x59 1x16' },
        lasts: '20m',
        fires: {
          from: '675s',
          until: '975s',
          labels: { job: 'jaeger', namespace: 'platform', service: 'jaeger', pod: 'b' },
        },
      },
      {
        title: 'a pod starts anew, and another is removed',
        series: { [target('a')]: '1x4 0x20 1x50', [target('b')]: '1x4 0x3 stale' },
        lasts: '18m',
      },
    ],
  },
  {
    name: 'TelemetryLost',
    expr: [
      `sum by (namespace, outcome) (rate(${selector('telemetry_spans_total', 'outcome=~"failed|dropped"')}[5m])) > 0`,
      'or sum by (namespace, reason) (rate(log_collector_lines_dropped_total{job="log-collector"}[5m])) > 0',
    ].join('\n'),
    // Longer than the window: a Jaeger that starts anew is no matter for a person.
    for: '10m',
    severity: 'ticket',
    summary: 'Traces or log lines of {{ $labels.namespace }} are lost.',
    description: 'Services run on, but what they do now cannot be looked up later.',
    stories: [
      {
        title: 'Jaeger is away for a quarter of an hour',
        series: { [spans('sent')]: '0+9x4 36x60 45+9x40', [spans('failed')]: '0x4 9+9x59 540x40' },
        lasts: '25m',
        fires: { from: '675s', until: '1245s', labels: { namespace: 'shop', outcome: 'failed' } },
      },
      {
        title: 'lines of logs are too old for whoever keeps them, for a quarter of an hour',
        series: {
          'log_collector_lines_dropped_total{job="log-collector",namespace="platform",service="log-collector",pod="l",reason="too_old"}':
            '0x4 9+9x59 540x40',
        },
        lasts: '25m',
        fires: { from: '675s', until: '1245s', labels: { namespace: 'platform', reason: 'too_old' } },
      },
      {
        title: 'Jaeger starts anew',
        series: { [spans('sent')]: '0+9x80', [spans('failed')]: '0x4 9+9x5 54x70' },
        lasts: '20m',
      },
    ],
  },
  {
    name: 'Watchdog',
    expr: 'vector(1)',
    for: '0s',
    severity: 'none',
    summary: 'Alerts work.',
    description: 'It always fires: whoever expects it and does not get it knows that nobody would be called.',
    stories: [
      { title: 'all is well', series: { [target('a')]: '1x20' }, lasts: '5m', fires: { from: '0s', until: '600s' } },
    ],
  },
];
