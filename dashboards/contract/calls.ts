import { counter, gauge, histogram, type Signals } from './signal.ts';

/** What a service tells of the services that it asks. */
export const calls: Signals = {
  metrics: [
    counter('outbound_requests_total', ['dependency', 'outcome'], 'Calls by what came of them in the end.', {
      after: 'the first call of a dependency',
    }),
    counter('outbound_retries_total', ['dependency'], 'Calls that were made again.', { after: 'the first repetition' }),
    histogram(
      'outbound_request_duration_seconds',
      ['dependency'],
      'A whole call, with what was repeated of it. Has exemplars.',
      { after: 'the first call of a dependency' },
    ),
    gauge('circuit_breaker_state', ['dependency'], 'The circuit breaker: 0 closed, 1 half-open, 2 open.', {
      after: 'the first use of a dependency',
    }),
  ],
  spans: [
    {
      name: '{http.request.method}',
      kind: 'client',
      always: ['http.request.method', 'server.address', 'server.port', 'url.full'],
      sometimes: ['http.response.status_code', 'http.request.resend_count', 'error.type'],
      meaning: 'One HTTP request to another service; each repetition has its own.',
    },
  ],
};

/** What a service tells of what it asks by gRPC. */
export const grpcCalls: Signals = {
  spans: [
    {
      name: '{rpc.method}',
      kind: 'client',
      always: ['rpc.system.name', 'rpc.method', 'server.address'],
      sometimes: ['rpc.response.status_code', 'server.port', 'error.type'],
      meaning: 'One call by gRPC; each repetition has its own.',
    },
  ],
};

/** What a service tells of the calls by gRPC that it answers. */
export const grpcServing: Signals = {
  metrics: [
    counter('grpc_requests_total', ['method', 'status'], 'Answered gRPC calls.', { after: 'the first call' }),
    histogram('grpc_request_duration_seconds', ['method'], 'From the start of a gRPC call to its end. Has exemplars.', {
      after: 'the first call',
    }),
  ],
  spans: [
    {
      name: '{rpc.method}',
      kind: 'server',
      always: ['rpc.system.name', 'rpc.method', 'rpc.response.status_code'],
      sometimes: ['error.type'],
      meaning: 'A call by gRPC, answered.',
    },
  ],
  lines: [
    { message: 'gRPC server listening', level: 'info', keys: ['grpc_port'] },
    { message: 'call', level: 'info', keys: ['method', 'status', 'duration_ms'] },
    { message: 'call failed', level: 'error', keys: ['err', 'method', 'code'] },
  ],
};
