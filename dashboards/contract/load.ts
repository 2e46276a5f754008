import { counter, histogram, info, type Signals, usual, warn } from './signal.ts';

/** What the load generator tells of the requests that it makes. */
export const load: Signals = {
  metrics: [
    counter('loadgen_requests_total', ['kind', 'outcome'], 'Requests that were due, by what became of them.'),
    histogram('loadgen_request_duration_seconds', ['kind', 'outcome'], 'From when a request was due to its answer.'),
    histogram('loadgen_schedule_lag_seconds', [], 'From when a request was due to its start.'),
  ],
  lines: [
    usual(info('load begins', ['run', 'rate', 'seed', 'duration_s'])),
    warn('waiting for the shop', ['err']),
    warn('the session is not renewed', ['err']),
    warn('request failed', ['request_id', 'kind', 'reason'], ['detail']),
    info('summary', [
      'run',
      'rate',
      'seed',
      'sent',
      'answered',
      'failed',
      'dropped',
      'orders',
      'p50_ms',
      'p99_ms',
      'max_lag_ms',
    ]),
  ],
};
