import { counter, gauge, info, type Signals, warn } from './signal.ts';

/** What the gateway tells beside what every service does. */
export const gateway: Signals = {
  metrics: [
    counter('gateway_refused_requests_total', ['reason'], 'Requests that were not let in.'),
    counter('gateway_masked_answers_total', ['route', 'with'], 'Failures that callers were spared: cached, default.', {
      after: 'a failure was masked',
    }),
    counter('gateway_cache_answers_total', ['route', 'outcome'], 'Answers of routes with a cache: hit, miss, joined.', {
      after: 'a route with a cache was asked for',
    }),
    gauge('gateway_cache_entries', [], 'Answers that are kept.'),
    gauge('gateway_cache_bytes', [], 'Room that they take.'),
    gauge('gateway_rate_limits_shared', [], 'Whether rate limits hold over all replicas: 1 or 0.', {
      only: 'rate limits in Redis',
    }),
    gauge('gateway_requests_under_way', [], 'Requests in the gateway now, without streams.'),
    gauge('gateway_open_streams', ['endpoint'], 'Streams that are passed on now.', { after: 'the first stream' }),
    counter('gateway_key_fetches_total', ['outcome'], 'Fetches of the keys of tokens: fetched, failed.'),
    counter('gateway_route_reloads_total', ['outcome'], 'Route files that were read: applied, refused.'),
    gauge('gateway_routes_refused', [], 'Whether the newest route file was refused: 1 or 0.'),
    gauge('gateway_routes_generation', [], 'How many sets of routes were in force since the start.'),
  ],
  spans: [
    {
      name: '{http.request.method}',
      kind: 'client',
      always: ['http.request.method', 'url.full', 'server.address'],
      sometimes: ['server.port', 'http.response.status_code', 'error.type'],
      meaning: 'The beginning of a stream that is passed on.',
      after: 'somebody follows the events of an order',
    },
  ],
  lines: [
    warn('failure masked', ['with'], ['err', 'answered']),
    warn('optional part left out', ['err', 'backend']),
    warn('Redis is away, each replica counts requests alone', ['reason']),
    info('Redis is back, requests are counted over all replicas'),
    warn('keys of tokens cannot be fetched', ['reason']),
    info('keys of tokens are fetched again'),
    warn('routes refused, the last good ones stay', ['reason', 'generation']),
    info('routes changed', ['generation', 'routes']),
  ],
};
