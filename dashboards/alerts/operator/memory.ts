import type { Alert } from '../alert.ts';

/** Whether what the operator remembers of the cluster is complete and fresh. */
export const memory: readonly Alert[] = [
  {
    name: 'OperatorMemoryIncomplete',
    expr: 'max by (pod) (microservice_platform_watches_unsynced{job="operator"}) > 0',
    for: '5m',
    severity: 'ticket',
    summary: 'The operator {{ $labels.pod }} does not have everything in memory.',
    description: 'It does not get ready and cannot take over; one that leads may decide by what was.',
    stories: [
      {
        title: 'a right is missing from the start, and is given after six minutes',
        series: { 'microservice_platform_watches_unsynced{job="operator",pod="a"}': '1x24 0x20' },
        lasts: '10m',
        fires: { from: '300s', until: '375s', labels: { pod: 'a' } },
      },
      {
        title: 'a start that takes four minutes',
        series: { 'microservice_platform_watches_unsynced{job="operator",pod="a"}': '9x8 3x7 0x24' },
        lasts: '10m',
      },
    ],
  },
  {
    name: 'OperatorWatchesFail',
    // One that fails is tried again after 2.5 to 5 seconds: some 60 times in the window and more.
    expr: 'sum by (kind) (increase(microservice_platform_watch_restarts_total{job="operator",reason="failed"}[5m])) > 5',
    // Longer than the window: an API server that is away for a few minutes is told of by others.
    for: '10m',
    severity: 'page',
    summary: 'The operator cannot watch {{ $labels.kind }}.',
    description: 'What changes is not noticed: new Microservices are not made, and broken ones are not repaired.',
    stories: [
      {
        title: 'a right is taken away, and given back after a quarter of an hour',
        series: {
          'microservice_platform_watch_restarts_total{job="operator",pod="a",kind="Pod",reason="failed"}':
            '0x4 4+4x59 240x60',
        },
        lasts: '25m',
        fires: { from: '690s', until: '1230s', labels: { kind: 'Pod' } },
      },
      {
        title: 'the API server is away for three minutes',
        series: {
          'microservice_platform_watch_restarts_total{job="operator",pod="a",kind="Pod",reason="failed"}':
            '0x4 4+4x11 48x100',
        },
        lasts: '25m',
      },
      {
        title: 'every watch is too old now and then, and lists anew',
        series: {
          'microservice_platform_watch_restarts_total{job="operator",pod="a",kind="Pod",reason="expired"}': '0+1x100',
        },
        lasts: '25m',
      },
    ],
  },
  {
    name: 'OperatorWatchSilent',
    // A watch on which nothing comes for 90 s is taken for dead and opened again.
    expr: 'max by (pod, kind) (microservice_platform_watch_idle_seconds{job="operator"}) > 120',
    for: '1m',
    // The liveness probe starts such an operator anew after some four minutes, and nobody would read of it.
    keepFiring: '15m',
    severity: 'ticket',
    summary: 'The watch of {{ $labels.kind }} in the operator {{ $labels.pod }} is stuck.',
    description: 'Its memory grows old without a failure that it could mend. It is a fault of the operator.',
    stories: [
      {
        title: 'a watch hangs until the container is started anew',
        series: { 'microservice_platform_watch_idle_seconds{job="operator",pod="a",kind="Pod"}': '0+15x15 0x80' },
        lasts: '24m',
        fires: { from: '195s', until: '1140s', labels: { pod: 'a', kind: 'Pod' } },
      },
      {
        title: 'a watch that is dead is opened again',
        series: {
          'microservice_platform_watch_idle_seconds{job="operator",pod="a",kind="Pod"}': '0+15x7 0+15x7 0+15x7 0x20',
        },
        lasts: '10m',
      },
    ],
  },
];
