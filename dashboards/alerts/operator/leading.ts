import type { Alert } from '../alert.ts';

/** Whether there is an operator that works. */
export const leading: readonly Alert[] = [
  {
    name: 'OperatorNobodyLeads',
    expr: '(sum(microservice_platform_leader{job="operator"}) or vector(0)) < 1',
    // A failover takes 19 s at most; a single operator that moves to another node has to fetch its image there.
    for: '3m',
    severity: 'page',
    summary: 'No operator works.',
    description: 'Services run on, but no Microservice is made, changed or repaired until an operator leads.',
    stories: [
      {
        title: 'the only operator is gone, and comes back after five minutes',
        series: { 'microservice_platform_leader{job="operator",pod="a"}': '1x4 stale _x19 1x20' },
        lasts: '10m',
        fires: { from: '255s', until: '375s' },
      },
      {
        title: 'all stand by',
        series: {
          'microservice_platform_leader{job="operator",pod="a"}': '0x19 1x20',
          'microservice_platform_leader{job="operator",pod="b"}': '0x40',
        },
        lasts: '10m',
        fires: { from: '180s', until: '300s' },
      },
      {
        title: 'the leader is killed, and another takes over when its Lease has run out',
        series: {
          'microservice_platform_leader{job="operator",pod="a"}': '1x4 stale',
          'microservice_platform_leader{job="operator",pod="b"}': '0x6 1x33',
        },
        lasts: '10m',
      },
      {
        title: 'the only operator is moved to another node, which takes two minutes',
        series: {
          'microservice_platform_leader{job="operator",pod="a"}': '1x4 stale',
          'microservice_platform_leader{job="operator",pod="b"}': '_x12 0 1x26',
        },
        lasts: '10m',
      },
    ],
  },
  {
    name: 'OperatorDoesNotAnswer',
    expr: 'up{job="operator"} == 0',
    for: '5m',
    severity: 'ticket',
    summary: 'The operator {{ $labels.pod }} runs, and does not answer at /metrics.',
    description: 'It may be stuck, or cut off. Whether another one works says OperatorNobodyLeads.',
    stories: [
      {
        title: 'an operator is stuck for a while',
        series: { 'up{job="operator",pod="a"}': '1x4 0x24 1x12', 'up{job="operator",pod="b"}': '1x42' },
        lasts: '10m',
        fires: { from: '375s', until: '450s', labels: { job: 'operator', pod: 'a' } },
      },
      {
        title: 'an upgrade: the old one ends, the new one is not there yet',
        series: { 'up{job="operator",pod="a"}': '1x4 0x2 stale', 'up{job="operator",pod="b"}': '_x3 0x2 1x33' },
        lasts: '10m',
      },
    ],
  },
  {
    name: 'OperatorRestarts',
    expr: 'changes(process_start_time_seconds{job="operator"}[1h]) > 2',
    for: '1m',
    severity: 'ticket',
    summary: 'The operator {{ $labels.pod }} started anew more than twice within an hour.',
    description: 'Each time changes wait until it has read everything again, or another operator has taken over.',
    stories: [
      {
        title: 'the same pod starts a third time, and then stays',
        series: { 'process_start_time_seconds{job="operator",pod="a"}': '100x3 160x3 220x3 280x260' },
        lasts: '65m',
        fires: { from: '240s', until: '3645s', labels: { job: 'operator', pod: 'a' } },
      },
      {
        title: 'it is killed twice',
        series: { 'process_start_time_seconds{job="operator",pod="a"}': '100x3 160x3 220x60' },
        lasts: '15m',
      },
      {
        title: 'three upgrades, each with a pod of its own',
        series: {
          'process_start_time_seconds{job="operator",pod="a"}': '100x3 stale',
          'process_start_time_seconds{job="operator",pod="b"}': '_x4 160x3 stale',
          'process_start_time_seconds{job="operator",pod="c"}': '_x8 220x3 stale',
          'process_start_time_seconds{job="operator",pod="d"}': '_x12 280x60',
        },
        lasts: '15m',
      },
    ],
  },
];
