import { DurationHistogram } from '@microservice-platform/common';
import { Counter, type Registry } from 'prom-client';

/** One call that has ended. */
export interface EndedCall {
  readonly method: string;
  /** The name of its gRPC status. */
  readonly status: string;
  readonly seconds: number;
}

/** Counts and times the calls that a gRPC server answers, as every service does for HTTP. */
export function grpcMetrics(registry: Registry): (call: EndedCall) => void {
  const requests = new Counter({
    name: 'grpc_requests_total',
    help: 'Answered gRPC calls, by method and status.',
    labelNames: ['method', 'status'],
    registers: [registry],
  });
  const duration = new DurationHistogram({
    name: 'grpc_request_duration_seconds',
    help: 'Time from the start of a gRPC call to its end, by method.',
    labelNames: ['method'],
    registry,
  });
  return ({ method, status, seconds }) => {
    requests.inc({ method, status });
    duration.add({ method }, seconds);
  };
}
