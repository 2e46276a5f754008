import { gauge, type Metric } from './signal.ts';

/** The windows over which a service level is looked at. */
export const windows = ['5m', '30m', '1h', '2h', '6h', '1d', '3d'] as const;

const ofService = ['namespace', 'service'];
const perSlo = ['namespace', 'service', 'slo'];
const after = { after: 'a Microservice has an SLO' };

/** What Prometheus makes of the metrics itself: recording rules, and one series for each alert. They have these labels alone. */
export const rules: readonly Metric[] = [
  gauge('microservice:ready:max', ofService, 'Whether a Microservice is Ready: 1 or 0.'),
  gauge('microservice:up:max', ofService, 'Whether any pod of it answers: 1 or 0.'),
  gauge('microservice:rests:bool', ofService, '1 for one that is Ready without a pod: it wants none.', {
    after: 'a Microservice wants no pods',
  }),
  gauge('microservice:answers:expected', ofService, '1 for one that has answered, and should go on.'),
  gauge('microservice:down:bool', ofService, '1 for one that should answer and does not.', { after: 'it is down' }),
  gauge('slo:objective:ratio', perSlo, 'The share of requests that is promised.', after),
  gauge('slo:latency_threshold:info', ['namespace', 'service', 'le'], 'Within how many seconds.', after),
  ...['requests', 'errors'].flatMap((what) => [
    gauge(`slo:${what}:rate5m`, perSlo, `Requests a second that the service level is about: ${what}.`, after),
    gauge(`slo:${what}_sampled:rate5m`, perSlo, 'The same once a minute, for windows of days.', after),
  ]),
  ...windows.map((window) =>
    gauge(`slo:sli_error:ratio_rate${window}`, perSlo, `Share of bad requests over ${window}.`, after),
  ),
  ...windows.map((window) =>
    gauge(
      `slo:burn_rate:ratio_rate${window}`,
      perSlo,
      `How fast the error budget goes, over ${window}: 1 uses it up in 30 days.`,
      after,
    ),
  ),
  gauge(
    'slo:error_budget:remaining_ratio',
    perSlo,
    'What is left of the error budget of 30 days: 1 untouched, 0 used up, below 0 overdrawn.',
    after,
  ),
  gauge(
    'ALERTS',
    [
      'alertname',
      'alertstate',
      'severity',
      'component',
      'dependency',
      'queue',
      'route',
      'slo',
      'outcome',
      'reason',
      'kind',
      'verb',
      'code',
    ],
    'An alert that is pending or firing, with the labels of what is wrong.',
    { after: 'something is wrong' },
  ),
];
