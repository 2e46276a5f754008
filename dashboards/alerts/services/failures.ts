import type { Alert } from '../alert.ts';
import { callsTo, failedCall, failedStatus, requestsTo, selector, service } from '../selectors.ts';

const failed = `sum by (${service}) (increase(${requestsTo(failedStatus)}[5m]) or increase(${callsTo(failedCall)}[5m]))`;
const answered = `sum by (${service}) (increase(${requestsTo()}[5m]) or increase(${callsTo()}[5m]))`;

// What the caller itself gave up says nothing of the other side.
const calls = (matcher: string) =>
  `sum by (${service}, dependency) (rate(${selector('outbound_requests_total', matcher)}[2m]))`;

const asDependency = (expr: string) => `label_replace(${expr}, "dependency", "$1", "service", "(.+)")`;

/** What others suffer from: it is down, somebody was called for it, or it suffers itself from one that it depends on. */
const inTrouble = [
  'microservice:down:bool == 1',
  `or max by (${service}) (ALERTS{alertstate="firing",severity="page"})`,
  `or max by (${service}) (ALERTS{alertstate="firing",alertname="DependencyFailing"})`,
].join(' ');

const answers = (status: string) =>
  `http_requests_total{job="microservices",namespace="shop",service="cart",pod="a",method="GET",endpoint="/cart",status="${status}"}`;
const calling = (outcome: string) =>
  `outbound_requests_total{job="microservices",namespace="shop",service="cart",pod="a",dependency="stock",outcome="${outcome}"}`;
const stockReady =
  'microservice_platform_microservice_ready{job="operator",exported_namespace="shop",name="stock",pod="o"}';
const masked =
  'gateway_masked_answers_total{job="microservices",namespace="shop",service="gateway",pod="a",route="/products",with="cached"}';

/** Whether services do what they are asked for. */
export const alerts: readonly Alert[] = [
  {
    name: 'ServiceErrors',
    // With a promise the error budget says what is too much. Without one nobody is called for less than what anybody sees.
    expr: [
      `${failed} / ${answered} > 0.1`,
      `and ${failed} >= 10`,
      `unless on (${service}) slo:objective:ratio{slo="availability"}`,
    ].join('\n'),
    for: '2m',
    severity: 'page',
    summary: '{{ $labels.service }} in {{ $labels.namespace }} fails at more than one request in ten.',
    description:
      'It promises no availability (spec.observability.slo), so this is judged by a share that holds for all.',
    stories: [
      {
        title: 'one request in five fails for ten minutes',
        series: { [answers('200')]: '0+80x100', [answers('503')]: '0x8 20+20x39 800x60' },
        lasts: '25m',
        fires: { from: '345s', until: '885s', labels: { namespace: 'shop', service: 'cart' } },
      },
      {
        title: 'the only requests of the night fail, three of five',
        series: { [answers('200')]: '0x8 1x3 2x60', [answers('503')]: '0x8 1x3 2x3 3x60' },
        lasts: '15m',
      },
      {
        title: 'it fails, but has promised how much it may',
        series: {
          [answers('200')]: '0+80x60',
          [answers('503')]: '0x8 20+20x51',
          'microservice_platform_slo_objective{job="operator",exported_namespace="shop",name="cart",slo="availability"}':
            '0.99x60',
        },
        lasts: '15m',
      },
      {
        title: 'what is asked for is not there, or not allowed',
        series: { [answers('200')]: '0+80x60', [answers('404')]: '0+20x60', [answers('401')]: '0+20x60' },
        lasts: '15m',
      },
    ],
  },
  {
    name: 'DependencyFailing',
    expr: [
      `${calls('outcome!~"answered|left"')} / ${calls('outcome!="left"')} > 0.01`,
      `and on (namespace, dependency) ${asDependency(`(${inTrouble})`)}`,
    ].join('\n'),
    for: '0s',
    // As long as what has happened is in the short windows of SloBurnsFast: nobody is called when it is over.
    keepFiring: '30m',
    severity: 'none',
    summary: '{{ $labels.service }} in {{ $labels.namespace }} fails because {{ $labels.dependency }} does.',
    description:
      'Nobody is told: whoever has to mend the dependency is, and pages of this service are held back meanwhile.',
    stories: [
      {
        title: 'what it calls is down for five minutes',
        series: {
          [calling('answered')]: '0+30x12 360x20 390+30x160',
          [calling('failed')]: '0x12 30+30x3 120x180',
          [calling('breaker_open')]: '0x16 30+30x16 510x160',
          'up{job="microservices",namespace="shop",service="stock",pod="s"}': '1x12 0x20 1x160',
          [stockReady]: '1x12 0x20 1x160',
        },
        lasts: '45m',
        fires: {
          from: '195s',
          until: '2310s',
          labels: { namespace: 'shop', service: 'cart', dependency: 'stock' },
        },
      },
      {
        title: 'what it calls suffers itself from something that it calls',
        series: {
          [calling('answered')]: '0+30x12 360x20 390+30x160',
          [calling('failed_below')]: '0x12 30+30x19 600x160',
          'ALERTS{alertname="DependencyFailing",alertstate="firing",severity="none",namespace="shop",service="stock",dependency="supplier"}':
            '_x13 1x19 stale',
        },
        lasts: '45m',
        fires: {
          from: '195s',
          until: '2295s',
          labels: { namespace: 'shop', service: 'cart', dependency: 'stock' },
        },
      },
      {
        title: 'its calls fail, though nothing is known to be wrong with what it calls',
        series: {
          [calling('answered')]: '0+30x60',
          [calling('late')]: '0+30x60',
          'up{job="microservices",namespace="shop",service="stock",pod="s"}': '1x60',
          [stockReady]: '1x60',
        },
        lasts: '15m',
      },
      {
        title: 'what it calls is down, and it does not ask',
        series: {
          [calling('answered')]: '7x60',
          'up{job="microservices",namespace="shop",service="stock",pod="s"}': '1x12 0x48',
          [stockReady]: '1x12 0x48',
        },
        lasts: '15m',
      },
    ],
  },
  {
    name: 'GatewayMasksFailures',
    expr: `sum by (${service}, route) (rate(${selector('gateway_masked_answers_total')}[5m])) > 0`,
    // Longer than the window: a backend that was away for a moment is what masks are for.
    for: '10m',
    severity: 'ticket',
    summary: '{{ $labels.service }} answers {{ $labels.route }} with what it had kept, as the backend fails.',
    description: 'People see old data and no error, so no promise is broken, and nothing else may tell of it.',
    stories: [
      {
        title: 'a backend is away for a quarter of an hour, and nobody sees it',
        series: { [masked]: '0x4 1+1x59 60x60' },
        lasts: '25m',
        fires: { from: '675s', until: '1245s', labels: { namespace: 'shop', service: 'gateway', route: '/products' } },
      },
      {
        title: 'a backend is away for two minutes',
        series: { [masked]: '0x4 1+1x7 8x80' },
        lasts: '20m',
      },
    ],
  },
];
