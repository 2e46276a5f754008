import { type LogLevel, logLevels } from './support/log.ts';

export interface Config {
  /** Port of /healthz, /readyz and /metrics; 0 takes a free one. */
  readonly httpPort: number;
  readonly logLevel: LogLevel;
  /** How many Microservices are worked on at the same time. */
  readonly concurrency: number;
  /** Path of a kubeconfig file, for an operator outside the cluster. */
  readonly kubeconfig: string | undefined;
  /** Address of the API server as Kubernetes tells it to the pods of the cluster. */
  readonly apiServer: { readonly host: string; readonly port: string } | undefined;
  /** Names this process in events. */
  readonly instance: string;
}

/** The environment asks for something that cannot be. The message names every fault. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads the operator's configuration.
 * @throws ConfigError naming every bad variable at once
 */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const faults: string[] = [];
  const integer = (name: string, fallback: number, min: number, max: number): number => {
    const text = env[name] ?? '';
    if (text === '') return fallback;
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      faults.push(`${name} must be an integer from ${min} to ${max}, not ${JSON.stringify(text)}`);
    }
    return value;
  };
  const level = env.OPERATOR_LOG_LEVEL || 'info';
  const logLevel = logLevels.find((known) => known === level);
  if (logLevel === undefined) {
    faults.push(`OPERATOR_LOG_LEVEL must be one of ${logLevels.join(', ')}, not ${JSON.stringify(level)}`);
  }
  const kubeconfig = env.KUBECONFIG || undefined;
  const [host, port] = [env.KUBERNETES_SERVICE_HOST, env.KUBERNETES_SERVICE_PORT];
  const apiServer = host && port ? { host, port } : undefined;
  if (kubeconfig === undefined && apiServer === undefined) {
    faults.push('KUBECONFIG must name a kubeconfig file, because this process is not a pod in a cluster');
  }
  const config: Config = {
    httpPort: integer('OPERATOR_HTTP_PORT', 8080, 0, 65_535),
    logLevel: logLevel ?? 'info',
    concurrency: integer('OPERATOR_CONCURRENCY', 32, 1, 256),
    kubeconfig,
    apiServer,
    instance: env.HOSTNAME || 'operator',
  };
  if (faults.length > 0) throw new ConfigError(faults.join('; '));
  return Object.freeze(config);
}
