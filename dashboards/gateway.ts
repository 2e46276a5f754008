import { dashboard, type Row } from './dashboard.ts';
import { searchTraces, toOverview, toService } from './links.ts';
import { lines, number } from './panel.ts';
import { duration, errorRatio, errors, highest, orNothing, orZero, perSecond, rate } from './queries.ts';

const of = 'service="api-gateway"';
const links = [toService({ namespace: 'shop', service: 'api-gateway' }), searchTraces('api-gateway')];
const all = rate('service', `,${of}`);

const state: Row = {
  title: 'Now',
  panels: [
    number({
      title: 'Requests',
      description: 'Answered requests a second.',
      unit: 'reqps',
      queries: [{ expr: `sum(${all}) or vector(0)` }],
      links,
      width: 5,
    }),
    number(
      {
        title: 'Errors',
        description: 'Share that was answered with 500 or above. What was masked is none.',
        unit: 'percentunit',
        queries: [{ expr: `max(${errorRatio('service', `,${of}`)}) or vector(0)` }],
        links,
        width: 5,
      },
      0.01,
    ),
    number(
      {
        title: 'Masked failures',
        description: 'Failures of services a second that callers did not get to see.',
        unit: 'reqps',
        queries: [{ expr: `sum(${perSecond('gateway_masked_answers_total', 'route', of)}) or vector(0)` }],
        links,
        width: 5,
      },
      0.001,
    ),
    number({
      title: 'Under way',
      description: 'Requests in the gateways now.',
      unit: 'none',
      queries: [{ expr: `sum(gateway_requests_under_way{job="microservices",${of}})` }],
      links,
      width: 5,
    }),
    number(
      {
        title: 'Route files refused',
        description:
          'Gateways whose newest route file is wrong: an older one is in force. Their log says what is wrong.',
        unit: 'none',
        queries: [{ expr: `sum(gateway_routes_refused{job="microservices",${of}})` }],
        links,
        width: 4,
      },
      1,
    ),
  ],
};

const routes: Row = {
  title: 'By route',
  panels: [
    lines({
      title: 'Requests',
      description: 'Answered requests a second, by route.',
      unit: 'reqps',
      queries: [{ expr: rate('method, endpoint', `,${of}`), legend: '{{method}} {{endpoint}}' }],
      links,
      width: 8,
    }),
    lines({
      title: 'Errors',
      description: 'Requests a second that were answered with 500 or above, by route.',
      unit: 'reqps',
      queries: [{ expr: errors('method, endpoint', `,${of}`), legend: '{{method}} {{endpoint}}' }],
      links,
      width: 8,
    }),
    lines({
      title: 'Duration, 95 %',
      description: 'Time within which 95 of 100 requests were answered, by route. A dot leads to its trace.',
      unit: 's',
      queries: [
        { expr: duration(0.95, 'method, endpoint', `,${of}`), legend: '{{method}} {{endpoint}}', exemplar: true },
      ],
      links,
      width: 8,
    }),
  ],
};

const protection: Row = {
  title: 'What it keeps out, and what it covers up',
  panels: [
    lines({
      title: 'Refused',
      description:
        'Requests a second that were not let in: no token or a bad one, a scope that is missing, too many (rate).',
      unit: 'reqps',
      queries: [
        {
          expr: perSecond('gateway_refused_requests_total', 'reason', `reason!="overload",${of}`),
          legend: '{{reason}}',
        },
      ],
      links,
      width: 8,
    }),
    lines({
      title: 'Shed',
      description: 'Requests a second that were turned away because too many were under way.',
      unit: 'reqps',
      queries: [
        { expr: perSecond('gateway_refused_requests_total', 'pod', `reason="overload",${of}`), legend: '{{pod}}' },
      ],
      links,
      width: 8,
    }),
    lines({
      title: 'Masked failures',
      description: 'Failures a second that callers were spared, by route and by what stood in.',
      unit: 'reqps',
      queries: [
        {
          expr: orNothing(perSecond('gateway_masked_answers_total', 'route, with', of)),
          legend: '{{route}} {{with}}',
        },
      ],
      links,
      width: 8,
    }),
    lines({
      title: 'Cache',
      description:
        'Answers a second of routes with a cache: kept (hit), asked for (miss, bypassed), or shared (joined).',
      unit: 'reqps',
      queries: [{ expr: perSecond('gateway_cache_answers_total', 'outcome', of), legend: '{{outcome}}' }],
      links,
      width: 8,
    }),
    lines({
      title: 'Hits by route',
      description: 'Share of the answers that came from the cache, or from a question that was asked already.',
      unit: 'percentunit',
      queries: [{ expr: hits(), legend: '{{route}}' }],
      links,
      width: 8,
    }),
    lines({
      title: 'Room of the cache',
      description: 'Memory that the kept answers take, by pod.',
      unit: 'bytes',
      queries: [{ expr: highest('gateway_cache_bytes', 'pod', of), legend: '{{pod}}' }],
      links,
      width: 8,
    }),
  ],
};

const workings: Row = {
  title: 'How it is',
  panels: [
    lines({
      title: 'Under way',
      description: 'Requests in each gateway; from a limit on it turns more away.',
      unit: 'none',
      queries: [{ expr: highest('gateway_requests_under_way', 'pod', of), legend: '{{pod}}' }],
      links,
      width: 6,
    }),
    lines({
      title: 'Open streams',
      description: 'Callers that follow something, by route.',
      unit: 'none',
      queries: [
        {
          expr: orNothing(`sum by (endpoint) (gateway_open_streams{job="microservices",${of}})`),
          legend: '{{endpoint}}',
        },
      ],
      links,
      width: 6,
    }),
    lines({
      title: 'Keys of tokens',
      description: 'Fetches a second of the keys that tokens are checked by.',
      unit: 'ops',
      queries: [{ expr: perSecond('gateway_key_fetches_total', 'outcome', of), legend: '{{outcome}}' }],
      links,
      width: 6,
    }),
    lines({
      title: 'Changes of routes',
      description: 'Route files that were taken on or refused since the start of each gateway.',
      unit: 'none',
      queries: [{ expr: highest('gateway_route_reloads_total', 'pod, outcome', of), legend: '{{outcome}}, {{pod}}' }],
      links,
      width: 6,
    }),
  ],
};

function hits(): string {
  const answers = perSecond('gateway_cache_answers_total', 'route', of);
  const kept = perSecond('gateway_cache_answers_total', 'route', `outcome=~"hit|joined",${of}`);
  return `(${orZero(kept, answers)}) / (${answers} > 0)`;
}

/** What the gateway lets in, keeps out and covers up. */
export const gatewayDashboard = dashboard({
  uid: 'platform-gateway',
  title: 'Gateway',
  description: 'What the gateway lets in, what it keeps out, what it covers up, and how it is.',
  onward: toOverview,
  rows: [state, routes, protection, workings],
});
