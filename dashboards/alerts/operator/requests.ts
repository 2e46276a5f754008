import type { Alert } from '../alert.ts';

/** Whether the API server does what the operator asks for. */
export const requests: readonly Alert[] = [
  {
    name: 'OperatorRequestsRefused',
    expr: 'sum by (verb, kind, code) (rate(microservice_platform_api_requests_total{job="operator",code=~"401|403"}[10m])) > 0',
    // Longer than the window: a namespace that is on its way out refuses, too, and soon is gone.
    for: '15m',
    severity: 'ticket',
    summary:
      'The API server refuses the operator: {{ $labels.verb }} {{ $labels.kind }} is answered with {{ $labels.code }}.',
    description: 'A right is missing, or a quota or an admission rule forbids it. Its log says which.',
    stories: [
      {
        title: 'a right is missing for twenty minutes, and is asked for once a minute',
        series: {
          'microservice_platform_api_requests_total{job="operator",pod="a",verb="patch",kind="Service",code="200"}':
            '0+1x160',
          'microservice_platform_api_requests_total{job="operator",pod="a",verb="patch",kind="Service",code="403"}':
            '_x3 1x3 2x3 3x3 4x3 5x3 6x3 7x3 8x3 9x3 10x3 11x3 12x3 13x3 14x3 15x3 16x3 17x3 18x3 19x3 20x80',
        },
        lasts: '35m',
        fires: { from: '1005s', until: '1770s', labels: { verb: 'patch', kind: 'Service', code: '403' } },
      },
      {
        title: 'a namespace is deleted while its Microservice is worked on',
        series: {
          'microservice_platform_api_requests_total{job="operator",pod="a",verb="create",kind="Service",code="403"}':
            '_x3 1x3 2x3 3x120',
        },
        lasts: '30m',
      },
    ],
  },
  {
    name: 'OperatorThrottled',
    expr: [
      'sum(rate(microservice_platform_api_requests_total{job="operator",code="429"}[10m]))',
      '/ sum(rate(microservice_platform_api_requests_total{job="operator"}[10m])) > 0.05',
    ].join('\n'),
    for: '15m',
    severity: 'ticket',
    summary: 'The API server has too much to do for the operator.',
    description: 'It puts off more than 5 % of the requests (429), so changes take longer.',
    stories: [
      {
        title: 'every second request is put off for twenty minutes',
        series: {
          'microservice_platform_api_requests_total{job="operator",pod="a",verb="patch",kind="Lease",code="200"}':
            '0+8x160',
          'microservice_platform_api_requests_total{job="operator",pod="a",verb="patch",kind="Lease",code="429"}':
            '0x4 8+8x79 640x80',
        },
        lasts: '35m',
        fires: { from: '975s', until: '1815s' },
      },
      {
        title: 'many change something at once, for two minutes',
        series: {
          'microservice_platform_api_requests_total{job="operator",pod="a",verb="patch",kind="Lease",code="200"}':
            '0+8x160',
          'microservice_platform_api_requests_total{job="operator",pod="a",verb="patch",kind="Lease",code="429"}':
            '0x4 8+8x7 64x120',
        },
        lasts: '30m',
      },
    ],
  },
];
