import { Counter, Gauge, Registry } from 'prom-client';
import { DurationHistogram } from '../serving/duration-histogram.ts';

/** The state of a circuit breaker, as the metric has it. */
export const breakerStates = { closed: 0, half_open: 1, open: 2 } as const;

export type BreakerState = keyof typeof breakerStates;

export type Protocol = 'http' | 'grpc';

export interface OutboundMetrics {
  /** Counts one call that has ended, with the active trace as its exemplar. */
  readonly observe: (call: EndedCall) => void;
  readonly retries: Counter<'dependency'>;
  /** Where the state of the breaker for a dependency, called by that protocol, can be read. */
  readonly watch: (dependency: string, protocol: Protocol, state: () => BreakerState) => void;
}

export interface EndedCall {
  readonly dependency: string;
  readonly outcome: string;
  readonly seconds: number;
}

const known = new WeakMap<Registry, OutboundMetrics>();

/** The metrics of all calls that a service makes: one set for each registry, however many dependencies there are. */
export function outboundMetrics(registry = new Registry()): OutboundMetrics {
  const metrics = known.get(registry) ?? created(registry);
  known.set(registry, metrics);
  return metrics;
}

function created(registry: Registry): OutboundMetrics {
  const registers = [registry];
  const watched = new Map<string, Map<Protocol, () => BreakerState>>();
  new Gauge({
    name: 'circuit_breaker_state',
    help: 'The circuit breaker of a dependency: 0 closed, 1 half-open, 2 open; the worse of two, where it is called by two protocols.',
    labelNames: ['dependency'],
    registers,
    collect() {
      for (const [dependency, states] of watched) {
        this.set({ dependency }, Math.max(...[...states.values()].map((state) => breakerStates[state()])));
      }
    },
  });
  const requests = new Counter({
    name: 'outbound_requests_total',
    help: 'Calls to other services by what came of them in the end; retries are not counted apart.',
    labelNames: ['dependency', 'outcome'],
    registers,
  });
  const duration = new DurationHistogram({
    name: 'outbound_request_duration_seconds',
    help: 'Time that a call to another service took, its retries and the pauses between them included.',
    labelNames: ['dependency'],
    registry,
  });
  return {
    observe: ({ dependency, outcome, seconds }) => {
      requests.inc({ dependency, outcome });
      duration.add({ dependency }, seconds);
    },
    retries: new Counter({
      name: 'outbound_retries_total',
      help: 'Calls to other services that were made again.',
      labelNames: ['dependency'],
      registers,
    }),
    watch: (dependency, protocol, state) => {
      const states = watched.get(dependency) ?? new Map<Protocol, () => BreakerState>();
      watched.set(dependency, states.set(protocol, state));
    },
  };
}
