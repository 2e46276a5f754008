import type { Microservice, Port } from '../api/microservice.generated.ts';

/** Annotations by which Prometheus finds the metrics of a pod; none where the Microservice says nothing of them. */
export function metricsAnnotations({ spec }: Microservice): Readonly<Record<string, string>> {
  const metrics = spec.observability?.metrics;
  if (metrics === undefined) return {};
  if (metrics.enabled === false) return { 'prometheus.io/scrape': 'false' };
  const port = portOf(spec.ports ?? [], metrics.port);
  return {
    'prometheus.io/scrape': 'true',
    ...(port && { 'prometheus.io/port': String(port.containerPort) }),
    'prometheus.io/path': metrics.path ?? '/metrics',
  };
}

function portOf(ports: readonly Port[], name: string | undefined): Port | undefined {
  const candidates = ports.filter(({ protocol = 'TCP' }) => protocol === 'TCP');
  if (name !== undefined) return candidates.find((port) => port.name === name);
  return candidates.find((port) => port.name === 'http') ?? candidates[0];
}
