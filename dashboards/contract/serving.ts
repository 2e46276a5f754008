import { counter, debug, error, gauge, histogram, info, type Signals, usual, warn } from './signal.ts';

const http = ['http.request.method', 'http.response.status_code', 'url.path', 'url.scheme', 'network.protocol.version'];
/** What the caller says of itself and of whom it asks, and why there was no good answer. */
const said = ['server.address', 'server.port', 'user_agent.original', 'http.request.method_original', 'error.type'];

/** What every service tells: of the requests that it answers, its configuration, its start and its end. */
export const serving: Signals = {
  metrics: [
    counter(
      'http_requests_total',
      ['method', 'endpoint', 'status'],
      'Answered HTTP requests; `endpoint` is the template of the route.',
    ),
    histogram(
      'http_request_duration_seconds',
      ['method', 'endpoint'],
      'From the head of a request to the end of its answer. Has exemplars.',
    ),
    gauge('nodejs_eventloop_utilization', [], 'Share of the time that the event loop was busy, since the last scrape.'),
    counter(
      'telemetry_spans_total',
      ['outcome'],
      'Ended spans: sent, failed (the collector did not take them), dropped (too many waited).',
    ),
    gauge('config_source_up', [], 'Whether the configuration can be read: 1, or 0 while the last known stays.', {
      only: 'a source of live configuration',
    }),
    counter('config_changes_total', ['key', 'outcome'], 'Settings that were changed while the service ran.', {
      after: 'a setting was changed',
      only: 'a source of live configuration',
    }),
    gauge('faults_active', [], 'Whether a fault runs because somebody asked for it: 0 or 1.', {
      only: 'a token for faults',
    }),
  ],
  spans: [
    {
      name: '{http.request.method} {http.route}',
      kind: 'server',
      always: [...http, 'http.route'],
      sometimes: said,
      meaning: 'A request, from its head to the end of its answer. Those for health and metrics have none.',
    },
    {
      name: '{http.request.method}',
      kind: 'server',
      always: http,
      sometimes: said,
      meaning: 'A request for something that there is no route for.',
      after: 'somebody asks for a path that is not there',
    },
  ],
  lines: [
    info('request', ['method', 'endpoint', 'status', 'duration_ms']),
    debug('request', ['method', 'endpoint', 'status', 'duration_ms']),
    error('request failed', ['err', 'code']),
    info('listening at {address}'),
    usual(info('ready for requests', ['port'])),
    info('draining', ['signal', 'drain_ms']),
    info('stopped', ['signal', 'failed_steps']),
    error('a step of the shutdown failed', ['err']),
    warn('fault begins', ['fault']),
    warn('fault ends', ['fault', 'reason']),
    info('configuration changed', ['key', 'from', 'to']),
    info('configuration changed for the next start', ['key', 'from', 'to']),
    warn('configuration refused', ['key', 'reason', 'stays']),
    info('configuration is read again'),
    warn('configuration cannot be read: the last known values stay', ['reason']),
    warn('spans are lost: they cannot be sent', ['target', 'reason']),
    info('spans are sent again', ['target']),
  ],
};

/** What a service tells that registers itself, and finds others, in a registry. */
export const discovery: Signals = {
  metrics: [
    gauge('discovered_instances', ['dependency'], 'Healthy instances of a dependency, as the registry has them.', {
      only: 'a registry of services',
    }),
    gauge('service_registered', [], 'Whether this instance is in the registry: 0 or 1.', {
      only: 'a registry of services',
    }),
    counter('registry_heartbeats_total', ['outcome'], 'Heartbeats to the registry: kept, renewed, failed.', {
      after: 'a heartbeat was due',
      only: 'a registry of services',
    }),
  ],
  lines: [
    info('registered', ['instance', 'address', 'port']),
    warn('not ready: taken out of the registry', ['instance', 'reason']),
    warn('the registry could not be told; trying again until it is', ['err']),
    warn('no goodbye: the registration ends by itself', ['err']),
    info('heartbeats reach the registry again', ['instance']),
    warn('no heartbeat: the registry does not answer', ['instance', 'reason']),
    warn('an entry of the registry is no instance: left out', ['instance', 'reason']),
    info('instances of a service', ['dependency', 'instances']),
    info('the registry answers again', ['dependency']),
    warn('the registry does not answer: what was last known counts', ['dependency', 'reason']),
  ],
};
