import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { ObjectKey } from './api/object.ts';
import type { ServiceType } from './desired/service.ts';
import { type Pages, pageSources } from './reconcile/links.ts';
import { type LogLevel, logLevels } from './support/log.ts';

export interface Config {
  /** Port of /healthz, /readyz and /metrics; 0 takes a free one. */
  readonly httpPort: number;
  readonly logLevel: LogLevel;
  /** Where services that ask for it send their traces, by OTLP over HTTP; nowhere when not stated. */
  readonly collector: string | undefined;
  /** The Prometheus that knows the error budgets, if there is one. */
  readonly prometheus: string | undefined;
  /** It is asked once in this time. */
  readonly budgetSeconds: number;
  /** Where people look at what is measured; nowhere when not stated. */
  readonly pages: Pages | undefined;
  /** Where traces of passes go, by OTLP over HTTP; nowhere when not stated. */
  readonly tracesTo: string | undefined;
  /** The namespaces whose Microservices are worked on; undefined for all of them. */
  readonly namespaces: readonly string[] | undefined;
  /** How many Microservices are worked on at the same time. */
  readonly concurrency: number;
  /** Path of a kubeconfig file, for an operator outside the cluster. */
  readonly kubeconfig: string | undefined;
  /** Address of the API server as Kubernetes tells it to the pods of the cluster. */
  readonly apiServer: { readonly host: string; readonly port: string } | undefined;
  /** Names this process in events, and as the holder of the lease: the name of its pod, or one that no other has. */
  readonly instance: string;
  /** The Lease that its leader holds; without one, this operator takes itself for the only one. */
  readonly lease: ObjectKey | undefined;
  /** Once in this time every Microservice is looked at again, from memory. */
  readonly auditSeconds: number;
  /** The types of Services that Microservices may ask for; ClusterIP is always one of them. */
  readonly serviceTypes: readonly ServiceType[];
  /** Whether pods are replaced when the content of a Secret that they use changes. For that the operator reads Secrets. */
  readonly rolloutOnSecretChange: boolean;
  /** The Secret that keeps the key of the digests of Secrets; there with `rolloutOnSecretChange`, and only then. */
  readonly contentKey: ObjectKey | undefined;
}

const serviceTypes: readonly ServiceType[] = ['ClusterIP', 'NodePort', 'LoadBalancer'];

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
    tracesTo: addressIn(env, 'OTEL_EXPORTER_OTLP_ENDPOINT', faults),
    collector: addressIn(env, 'OPERATOR_OTLP_ENDPOINT', faults),
    prometheus: addressIn(env, 'OPERATOR_PROMETHEUS_URL', faults),
    budgetSeconds: integer('OPERATOR_BUDGET_SECONDS', 60, 1, 3_600),
    pages: pagesIn(env, faults),
    namespaces: namespacesIn(env.OPERATOR_WATCH_NAMESPACES ?? '', faults),
    kubeconfig,
    apiServer,
    instance: env.OPERATOR_POD_NAME || `${hostname()}_${randomUUID()}`,
    lease: leaseIn(env, faults),
    auditSeconds: integer('OPERATOR_AUDIT_SECONDS', 300, 1, 86_400),
    serviceTypes: serviceTypesIn(env.OPERATOR_SERVICE_TYPES || 'ClusterIP', faults),
    ...secretsIn(env, faults),
  };
  if (faults.length > 0) throw new ConfigError(faults.join('; '));
  return Object.freeze(config);
}

export function addressIn(env: NodeJS.ProcessEnv, variable: string, faults: string[]): string | undefined {
  const text = env[variable] ?? '';
  if (text === '') return undefined;
  if (!/^https?:$/.test(URL.parse(text)?.protocol ?? '')) {
    faults.push(`${variable} must be an address that starts with http:// or https://, not ${JSON.stringify(text)}`);
  }
  return text;
}

/** The links that are made of it go into the status, which has to hold them. */
const longestGrafana = 256;

function pagesIn(env: NodeJS.ProcessEnv, faults: string[]): Pages | undefined {
  const grafana = addressIn(env, 'OPERATOR_GRAFANA_URL', faults);
  if (grafana !== undefined && (grafana.length > longestGrafana || /[?#\s]/.test(grafana))) {
    faults.push(`OPERATOR_GRAFANA_URL must be an address of at most ${longestGrafana} characters, without ? and #`);
  }
  const asked = (env.OPERATOR_GRAFANA_SOURCES ?? '').split(',').map((name) => name.trim());
  if (env.OPERATOR_GRAFANA_SOURCES && asked.some((name) => !pageSources.some((known) => known === name))) {
    const text = JSON.stringify(env.OPERATOR_GRAFANA_SOURCES);
    faults.push(`OPERATOR_GRAFANA_SOURCES must be a list of ${pageSources.join(', ')}, not ${text}`);
  }
  return grafana === undefined
    ? undefined
    : { grafana, sources: pageSources.filter((source) => asked.includes(source)) };
}

export function namespacesIn(
  text: string,
  faults: string[],
  variable = 'OPERATOR_WATCH_NAMESPACES',
): readonly string[] | undefined {
  if (text === '') return undefined;
  const names = text.split(',').map((name) => name.trim());
  if (names.some((name) => !/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name))) {
    faults.push(`${variable} must be a list of names of namespaces, not ${JSON.stringify(text)}`);
  }
  return [...new Set(names)];
}

/** In the order of `serviceTypes`, whatever the order in the text. */
function serviceTypesIn(text: string, faults: string[]): readonly ServiceType[] {
  const asked = text.split(',').map((name) => name.trim());
  if (asked.some((name) => !serviceTypes.some((known) => known === name))) {
    faults.push(`OPERATOR_SERVICE_TYPES must be a list of ${serviceTypes.join(', ')}, not ${JSON.stringify(text)}`);
  }
  return serviceTypes.filter((type) => type === 'ClusterIP' || asked.includes(type));
}

function secretsIn(env: NodeJS.ProcessEnv, faults: string[]): Pick<Config, 'rolloutOnSecretChange' | 'contentKey'> {
  const text = env.OPERATOR_ROLLOUT_ON_SECRET_CHANGE || 'false';
  if (text !== 'true' && text !== 'false') {
    faults.push(`OPERATOR_ROLLOUT_ON_SECRET_CHANGE must be true or false, not ${JSON.stringify(text)}`);
  }
  if (text !== 'true') return { rolloutOnSecretChange: false, contentKey: undefined };
  const because = 'OPERATOR_ROLLOUT_ON_SECRET_CHANGE is true';
  const namespace = needed(env, faults, 'OPERATOR_NAMESPACE', { what: 'the namespace of the operator', because });
  const what = 'the Secret for the key of the digests of Secrets';
  const name = needed(env, faults, 'OPERATOR_CONTENT_KEY_SECRET', { what, because });
  return { rolloutOnSecretChange: true, contentKey: { namespace, name } };
}

function leaseIn(env: NodeJS.ProcessEnv, faults: string[]): ObjectKey | undefined {
  const name = env.OPERATOR_LEASE ?? '';
  if (name === '') return undefined;
  const because = 'OPERATOR_LEASE is set';
  return {
    namespace: needed(env, faults, 'OPERATOR_NAMESPACE', { what: 'the namespace of the operator', because }),
    name,
  };
}

function needed(
  env: NodeJS.ProcessEnv,
  faults: string[],
  variable: string,
  { what, because }: { readonly what: string; readonly because: string },
): string {
  const value = env[variable] ?? '';
  if (value === '') faults.push(`${variable} must name ${what}, because ${because}`);
  return value;
}
