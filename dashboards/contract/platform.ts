import { calls, grpcCalls, grpcServing } from './calls.ts';
import { database } from './database.ts';
import { gateway } from './gateway.ts';
import { load } from './load.ts';
import { logCollector } from './log-collector.ts';
import { broker, consuming, publishing } from './messages.ts';
import { nodeProcess } from './node-process.ts';
import { operator } from './operator.ts';
import { orders } from './orders.ts';
import { discovery, serving } from './serving.ts';
import { type Emitter, type Signals, together } from './signal.ts';

/** What everybody adds to a line of a log, and the ids that it has within a trace or a request. */
export const lineKeys = {
  always: ['level', 'time', 'msg'],
  sometimes: ['trace_id', 'span_id', 'request_id'],
} as const;

/** The labels that Prometheus adds to whatever it scrapes. */
export const targetLabels = ['job', 'instance', 'namespace', 'service', 'pod'] as const;

const service = (name: string, parts: readonly Signals[], reaches: readonly string[] = []): Emitter => ({
  name,
  job: 'microservices',
  keys: ['service', 'version'],
  reaches,
  ...together([nodeProcess, serving, discovery, ...parts]),
});

const component = (name: string, part: Signals, spanName = name): Emitter => ({
  name: spanName,
  job: name,
  keys: ['component'],
  reaches: [],
  ...together([nodeProcess, part]),
});

const subscriber = [database, broker, consuming];
const subscribers = ['notification-service', 'analytics-service'];

/** Everything that the programs of this repository tell of themselves. What is not here does not exist. */
export const emitters: readonly Emitter[] = [
  service(
    'api-gateway',
    [calls, grpcCalls, gateway],
    [
      'user-service',
      'product-service',
      'order-service',
      'inventory-service',
      'payment-service',
      'notification-service',
      'analytics-service',
    ],
  ),
  service('user-service', [database]),
  service('product-service', [database, grpcServing]),
  service(
    'order-service',
    [database, calls, grpcCalls, broker, publishing, orders],
    ['user-service', 'product-service', 'inventory-service', 'payment-service', ...subscribers],
  ),
  service('inventory-service', [database]),
  service('payment-service', [database]),
  service('notification-service', subscriber),
  service('analytics-service', subscriber),
  service('loadgen', [load]),
  component('operator', operator, 'microservice-platform-operator'),
  component('log-collector', logCollector),
];
