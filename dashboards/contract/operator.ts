import { complaint, counter, debug, error, gauge, histogram, info, type Signals, usual, warn } from './signal.ts';

const prefix = 'microservice_platform';

/** What the operator tells. */
export const operator: Signals = {
  metrics: [
    gauge(`${prefix}_leader`, [], '1 for the operator that works, 0 for those that stand by.'),
    gauge(`${prefix}_microservice_ready`, ['namespace', 'name'], '1 for a Microservice that is Ready, else 0.', {
      after: 'there is a Microservice',
    }),
    gauge(
      `${prefix}_slo_objective`,
      ['namespace', 'name', 'slo', 'le'],
      'The share of requests that a Microservice promises; `le`, with slo="latency", is the time in seconds.',
      { after: 'a Microservice has an SLO' },
    ),
    counter(`${prefix}_reconciles_total`, ['result'], 'Passes over a Microservice: settled, after, failed.', {
      after: 'the first pass',
    }),
    histogram(`${prefix}_reconcile_duration_seconds`, [], 'Time that a pass took.'),
    counter(`${prefix}_queue_adds_total`, [], 'Microservices that were put into the queue.'),
    gauge(`${prefix}_queue_depth`, [], 'Microservices that wait for a worker.'),
    gauge(`${prefix}_queue_delayed`, [], 'Microservices that are put off.'),
    histogram(`${prefix}_queue_wait_seconds`, [], 'Time that a Microservice waits for a worker.'),
    counter(`${prefix}_api_requests_total`, ['verb', 'kind', 'code'], 'Requests to the API server.'),
    histogram(`${prefix}_api_request_duration_seconds`, ['verb'], 'Time until the API server began to answer.'),
    gauge(`${prefix}_watches_unsynced`, [], 'Kinds of which memory is not complete.'),
    gauge(`${prefix}_watch_idle_seconds`, ['kind'], 'Time since anything happened on the watch of a kind.'),
    counter(`${prefix}_watch_restarts_total`, ['kind', 'reason'], 'Watches opened again after a failure.', {
      after: 'a watch failed',
    }),
    counter(`${prefix}_repairs_held_back_total`, [], 'Times that somebody undid so many repairs that they wait.'),
    counter(`${prefix}_spans_lost_total`, [], 'Spans that could not be sent.'),
    counter(`${prefix}_budget_readings_total`, ['outcome'], 'Questions about error budgets: answered, failed.', {
      after: 'a Microservice has an SLO',
    }),
    counter(`${prefix}_events_dropped_total`, [], 'Kubernetes events that could not be recorded.'),
  ],
  spans: [
    {
      name: 'reconcile',
      kind: 'internal',
      always: ['k8s.namespace.name', 'microservice.name'],
      meaning: 'One pass over a Microservice.',
      after: 'tracing of the operator is on',
    },
    {
      name: '{verb} {kind}',
      kind: 'client',
      always: [],
      sometimes: ['http.response.status_code'],
      meaning: 'One request to the API server, by verb and kind.',
      after: 'tracing of the operator is on',
    },
  ],
  lines: [
    info('operator started', ['port', 'node']),
    usual(info('operator ready', ['microservices'])),
    info('stopping', ['signal']),
    info('stopped'),
    info('leading', ['lease', 'identity']),
    info('lease given back', ['lease', 'identity']),
    warn('lease not given back, the next leader waits', ['lease', 'identity', 'reason']),
    warn('leading no more', ['lease', 'identity', 'reason']),
    info('objects listed', ['resource', 'objects'], ['namespace']),
    error('a change could not be passed on', ['err', 'resource']),
    error('a change of content could not be passed on', ['err', 'content']),
    info('child written', ['microservice', 'child', 'outcome']),
    info('child left alone', ['microservice', 'child', 'outcome', 'because']),
    warn('child not written', ['microservice', 'child', 'outcome', 'error']),
    warn('pass failed', ['microservice', 'retryInMs', 'reason']),
    error('pass failed by a fault in the operator', ['microservice', 'retryInMs', 'err']),
    warn('write not seen in time, going on without', ['microservice', 'write']),
    warn('event not recorded', ['reason']),
    info('key of the digests of Secrets made', ['secret']),
    warn('somebody undoes every repair of a child: repairs are held back', ['microservice']),
    warn('some Microservices were still in hand; the next operator goes on with them', ['ms']),
    debug('spans lost', ['spans', 'reason']),
    warn('error budgets not read', ['reason', 'stale']),
    ...complaint('watch interrupted, trying again', ['resource', 'reason', 'retryInMs'], ['namespace', 'remedy']),
    ...complaint('lease not reached, trying again', ['lease', 'identity', 'reason'], ['remedy']),
    ...complaint('content not read, trying again', ['content', 'reason', 'retryInMs']),
    ...complaint('key of the digests of Secrets not known, trying again', ['reason', 'retryInMs']),
  ],
};
