import type { Alert } from '../alert.ts';

const passes = 'microservice_platform_reconciles_total{job="operator"}';
const failed = 'microservice_platform_reconciles_total{job="operator",result="failed"}';

/** The time within which 90 of 100 were done, by operator: nothing where none was. */
const within = (histogram: string) =>
  `histogram_quantile(0.9, sum by (pod, le) (rate(${histogram}_bucket{job="operator"}[5m])))`;

/** Samples of a histogram: how many were done within 5, 10 and 30 seconds. */
const done = (histogram: string, samples: Readonly<Record<'5' | '10' | '30', string>>) =>
  Object.fromEntries(
    Object.entries({ ...samples, '+Inf': samples['30'] }).map(([le, values]) => [
      `${histogram}_bucket{job="operator",pod="a",le="${le}"}`,
      values,
    ]),
  );

/** Whether the operator gets on with what there is to do. */
export const work: readonly Alert[] = [
  {
    name: 'OperatorPassesFail',
    // A share: conflicts are weather, and there are more of them where there is more to do.
    expr: `sum(rate(${failed}[10m])) / sum(rate(${passes}[10m])) > 0.01`,
    // Longer than the window: what failed once is not enough.
    for: '15m',
    severity: 'ticket',
    summary: 'The operator fails again and again to bring Microservices to what they ask for.',
    description: 'More than 1 % of its passes fail. Its log names the Microservices and the reason.',
    stories: [
      {
        title: 'a webhook refuses to answer for twenty minutes',
        series: {
          'microservice_platform_reconciles_total{job="operator",pod="a",result="settled"}': '0+19x200',
          'microservice_platform_reconciles_total{job="operator",pod="a",result="failed"}': '0x4 1+1x79 80x100',
        },
        lasts: '40m',
        fires: { from: '975s', until: '1740s' },
      },
      {
        title: 'a conflict now and then',
        series: {
          'microservice_platform_reconciles_total{job="operator",pod="a",result="settled"}': '0+1x200',
          'microservice_platform_reconciles_total{job="operator",pod="a",result="failed"}': '0x19 1x79 2x100',
        },
        lasts: '40m',
      },
    ],
  },
  {
    name: 'OperatorQueueSlow',
    // The second part: something waits, and nothing is taken; then there is no time that could be measured.
    expr: [
      `${within('microservice_platform_queue_wait_seconds')} > 5`,
      'or sum by (pod) (min_over_time(microservice_platform_queue_depth{job="operator"}[5m])) > 0',
      'unless sum by (pod) (rate(microservice_platform_queue_wait_seconds_count{job="operator"}[5m])) > 0',
    ].join('\n'),
    for: '10m',
    severity: 'ticket',
    summary: 'Microservices wait too long until the operator {{ $labels.pod }} looks at them.',
    description: 'One in ten waits for more than 5 seconds, or all of them for good.',
    stories: [
      {
        title: 'more changes come than can be worked on, for a quarter of an hour',
        series: done('microservice_platform_queue_wait_seconds', { 5: '0+1x60 64+4x80', 10: '0+4x141', 30: '0+4x141' }),
        lasts: '30m',
        fires: { from: '615s', until: '1155s', labels: { pod: 'a' } },
      },
      {
        title: 'every worker hangs',
        series: {
          'microservice_platform_queue_depth{job="operator",pod="a"}': '3x60 0x20',
          'microservice_platform_queue_wait_seconds_count{job="operator",pod="a"}': '7x80',
        },
        lasts: '20m',
        fires: { from: '600s', until: '915s', labels: { pod: 'a' } },
      },
      {
        title: 'a new leader looks at every Microservice at once',
        series: {
          ...done('microservice_platform_queue_wait_seconds', {
            5: '0x3 10x3 20x80',
            10: '0x3 20x3 100x80',
            30: '0x3 100x3 200x80',
          }),
          'microservice_platform_queue_depth{job="operator",pod="a"}': '0x3 200x7 0x80',
          'microservice_platform_queue_wait_seconds_count{job="operator",pod="a"}': '0x3 100x3 200x80',
        },
        lasts: '20m',
      },
    ],
  },
  {
    name: 'OperatorPassesSlow',
    expr: `${within('microservice_platform_reconcile_duration_seconds')} > 10`,
    for: '15m',
    severity: 'ticket',
    summary:
      'The operator {{ $labels.pod }} is slow: one in ten passes over a Microservice takes more than 10 seconds.',
    description: 'Changes take long to be made. A pass is little more than its requests to the API server.',
    stories: [
      {
        title: 'the API server is slow for twenty minutes',
        series: done('microservice_platform_reconcile_duration_seconds', {
          5: '0+1x80 84+4x80',
          10: '0+1x80 84+4x80',
          30: '0+4x161',
        }),
        lasts: '35m',
        fires: { from: '915s', until: '1455s', labels: { pod: 'a' } },
      },
      {
        title: 'the API server is slow for five minutes',
        series: done('microservice_platform_reconcile_duration_seconds', {
          5: '0+1x20 24+4x120',
          10: '0+1x20 24+4x120',
          30: '0+4x141',
        }),
        lasts: '30m',
      },
    ],
  },
  {
    name: 'OperatorRepairsHeldBack',
    expr: 'sum(increase(microservice_platform_repairs_held_back_total{job="operator"}[10m])) > 0',
    // Longer than the window: they have to go on with it.
    for: '15m',
    severity: 'ticket',
    summary: 'Somebody undoes every repair of a child of a Microservice.',
    description:
      'The child is now as the Microservice asks for, now as somebody else does; its pods may restart each time.',
    stories: [
      {
        title: 'another controller claims a field for twenty minutes',
        series: {
          'microservice_platform_repairs_held_back_total{job="operator",pod="a"}': '0x4 1+1x80 81x60',
        },
        lasts: '35m',
        fires: { from: '975s', until: '1860s' },
      },
      {
        title: 'somebody edits by hand for four minutes, and understands',
        series: {
          'microservice_platform_repairs_held_back_total{job="operator",pod="a"}': '0x4 1+1x15 16x100',
        },
        lasts: '30m',
      },
    ],
  },
];
