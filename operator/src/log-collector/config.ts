import { addressIn, ConfigError, namespacesIn } from '../config.ts';
import { type LogLevel, logLevels } from '../support/log.ts';

export interface Config {
  /** Port of /healthz, /readyz and /metrics; 0 takes a free one. */
  readonly httpPort: number;
  readonly logLevel: LogLevel;
  /** The address of Loki. */
  readonly loki: string;
  /** The namespaces whose pods are followed; undefined for all of them. */
  readonly namespaces: readonly string[] | undefined;
  /** A collector that starts begins with what was written so long before. */
  readonly lookbackMs: number;
  /** So many bytes of lines may wait for Loki. */
  readonly backlogBytes: number;
  /** Path of a kubeconfig file, for a collector outside the cluster. */
  readonly kubeconfig: string | undefined;
  /** Address of the API server as Kubernetes tells it to the pods of the cluster. */
  readonly apiServer: { readonly host: string; readonly port: string } | undefined;
}

/** Loki takes lines of a stream up to an hour older than the newest that it has. */
const longestLookbackSeconds = 3_000;

/**
 * Reads the configuration of the log collector.
 * @throws ConfigError naming every bad variable at once
 */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const faults: string[] = [];
  const integer = (name: string, fallback: number, min: number, max: number): number => {
    const text = env[name] || String(fallback);
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      faults.push(`${name} must be an integer from ${min} to ${max}, not ${JSON.stringify(text)}`);
    }
    return value;
  };
  const level = env.LOG_COLLECTOR_LOG_LEVEL || 'info';
  const logLevel = logLevels.find((known) => known === level);
  if (logLevel === undefined) {
    faults.push(`LOG_COLLECTOR_LOG_LEVEL must be one of ${logLevels.join(', ')}, not ${JSON.stringify(level)}`);
  }
  const kubeconfig = env.KUBECONFIG || undefined;
  const [host, port] = [env.KUBERNETES_SERVICE_HOST, env.KUBERNETES_SERVICE_PORT];
  const apiServer = host && port ? { host, port } : undefined;
  if (kubeconfig === undefined && apiServer === undefined) {
    faults.push('KUBECONFIG must name a kubeconfig file, because this process is not a pod in a cluster');
  }
  const loki = addressIn(env, 'LOG_COLLECTOR_LOKI_URL', faults);
  if (loki === undefined) faults.push('LOG_COLLECTOR_LOKI_URL must be the address of Loki');
  const config: Config = {
    httpPort: integer('LOG_COLLECTOR_HTTP_PORT', 8080, 0, 65_535),
    logLevel: logLevel ?? 'info',
    loki: loki ?? '',
    namespaces: namespacesIn(env.LOG_COLLECTOR_NAMESPACES ?? '', faults, 'LOG_COLLECTOR_NAMESPACES'),
    lookbackMs: integer('LOG_COLLECTOR_LOOKBACK_SECONDS', 900, 1, longestLookbackSeconds) * 1000,
    backlogBytes: integer('LOG_COLLECTOR_BACKLOG_MEBIBYTES', 24, 1, 1024) * 1024 * 1024,
    kubeconfig,
    apiServer,
  };
  if (faults.length > 0) throw new ConfigError(faults.join('; '));
  return Object.freeze(config);
}
