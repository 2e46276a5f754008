import type { V1Probe } from '@kubernetes/client-node';
import type { Microservice, Port, Probe, Probes } from '../api/microservice.generated.ts';

export type ProbeName = 'readiness' | 'liveness' | 'startup';

/** How often and how patiently a probe asks, unless the Microservice says otherwise. */
const timing = {
  readiness: { periodSeconds: 5, timeoutSeconds: 2, failureThreshold: 3 },
  liveness: { periodSeconds: 10, timeoutSeconds: 2, failureThreshold: 3 },
  startup: { periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 60 },
} as const;

/** Readiness and startup where there is a TCP port to try; liveness only when asked for, because restarts seldom help. */
export function probeOf(ms: Microservice, name: ProbeName): V1Probe | undefined {
  const asked = ms.spec.probes?.[name];
  if (asked === undefined && name === 'liveness') return undefined;
  return probe(name, asked ?? {}, firstTcpPort(ms.spec.ports ?? []));
}

/** The probe of a sidecar: only when asked for, since nothing is known of its ports. */
export function sidecarProbe(probes: Probes, name: ProbeName): V1Probe | undefined {
  const asked = probes[name];
  return asked && probe(name, asked);
}

function probe(name: ProbeName, asked: Probe, fallback?: Port): V1Probe | undefined {
  const action = actionOf(asked, fallback);
  if (action === undefined) return undefined;
  // Every field is stated, defaults of Kubernetes too: what is never stated is never taken back.
  return {
    ...action,
    initialDelaySeconds: asked.initialDelaySeconds ?? 0,
    periodSeconds: asked.periodSeconds ?? timing[name].periodSeconds,
    timeoutSeconds: asked.timeoutSeconds ?? timing[name].timeoutSeconds,
    failureThreshold: asked.failureThreshold ?? timing[name].failureThreshold,
    successThreshold: asked.successThreshold ?? 1,
  };
}

/** What a probe does, in words, for messages: `GET /readyz on port http`. */
export function probeInWords({ httpGet, tcpSocket, grpc, exec }: V1Probe): string {
  if (httpGet) return `GET ${httpGet.path} on port ${httpGet.port}`;
  if (tcpSocket) return `TCP connection to port ${tcpSocket.port}`;
  if (grpc) return `gRPC health check on port ${grpc.port}`;
  return `command ${exec?.command?.join(' ')}`;
}

type Action = Pick<V1Probe, 'exec' | 'grpc' | 'httpGet' | 'tcpSocket'>;

/** Undefined where a port is needed and there is none to fall back on. */
function actionOf({ httpGet, tcpSocket, grpc, exec }: Probe, fallback?: Port): Action | undefined {
  if (exec) return { exec: { command: [...exec.command] } };
  if (grpc) return { grpc: { port: grpc.port, service: grpc.service ?? '' } };
  const port = httpGet?.port ?? tcpSocket?.port ?? fallback?.name;
  if (port === undefined) return undefined;
  if (httpGet) {
    const { path = '/', scheme = 'HTTP', httpHeaders } = httpGet;
    return {
      httpGet: {
        path,
        port,
        scheme,
        ...(httpHeaders?.length && { httpHeaders: httpHeaders.map((header) => ({ ...header })) }),
      },
    };
  }
  return { tcpSocket: { port } };
}

function firstTcpPort(ports: readonly Port[]): Port | undefined {
  return ports.find(({ protocol = 'TCP' }) => protocol === 'TCP');
}
