/** What the manifest of a Microservice says that matters to a process. */
export interface Microservice {
  readonly kind: 'Microservice';
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
    readonly env: readonly EnvVar[];
    readonly config?: { readonly mountPath: string; readonly data: Readonly<Record<string, string>> };
  };
}

interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef?: { readonly name: string; readonly key: string } };
}

/** Where the shop is when it runs as processes. */
export interface Places {
  /** The port on loopback of what has `host:port` in the cluster. */
  readonly ports: ReadonlyMap<string, number>;
  /** The folder that has the files of a service's config. */
  readonly folderOf: (service: string) => string;
  readonly secret: (name: string, key: string) => string;
}

const loopback = '127.0.0.1';

/**
 * The environment of a service as a process: what its manifest gives it, with addresses of the cluster replaced by those
 * on loopback. The manifests stay the only place that says what a service is given. Traces go where `OTEL_*` of the
 * caller's own environment says, if it says so.
 *
 * @throws Error naming an address of the cluster that is nowhere here
 */
export function localEnvironment(service: Microservice, places: Places): Record<string, string> {
  const { metadata, spec } = service;
  const env = Object.fromEntries(spec.env.map((variable) => [variable.name, givenValue(variable, places)]));
  const own = (port: string | undefined) => String(portAt(`${metadata.name}:${port}`, places));
  const localised = Object.entries(env).map(([name, value]): [string, string] => {
    if (name === 'SERVER_PORT' || name === 'GRPC_PORT') return [name, own(value)];
    if (name.endsWith('_HOST')) return [name, loopback];
    const host = name.endsWith('_PORT') ? env[name.replace(/_PORT$/, '_HOST')] : undefined;
    if (host !== undefined) return [name, String(portAt(`${host}:${value}`, places))];
    const { mountPath = '' } = spec.config ?? {};
    if (mountPath !== '' && value.startsWith(`${mountPath}/`)) {
      return [name, value.replace(mountPath, places.folderOf(metadata.name))];
    }
    return [name, withLocalAddresses(value, places)];
  });
  return {
    ...Object.fromEntries(localised),
    SERVER_HOST: loopback,
    // In a cluster the operator says this.
    OTEL_SERVICE_NAME: metadata.name,
    OTEL_TRACES_EXPORTER: 'none',
    SHUTDOWN_DRAIN_MS: '0',
  };
}

/** A text with every address of the shop replaced by the one on loopback. @throws Error naming a URL that is nowhere here */
export function withLocalAddresses(text: string, places: Places): string {
  const urls = text.replace(/(?<=https?:\/\/)[a-z][\w.-]*:\d+/g, (it) => `${loopback}:${portAt(it, places)}`);
  return urls.replace(/\b[a-z][\w-]*:\d{4,5}\b/g, (it) =>
    places.ports.has(it) ? `${loopback}:${portAt(it, places)}` : it,
  );
}

function givenValue({ name, value, valueFrom }: EnvVar, { secret }: Places): string {
  if (value !== undefined) return value;
  const key = valueFrom?.secretKeyRef;
  if (key === undefined) throw new Error(`${name} has a value that only a cluster can give`);
  return secret(key.name, key.key);
}

function portAt(address: string, { ports }: Places): number {
  const port = ports.get(address);
  if (port === undefined) throw new Error(`nothing of the shop is at ${address}`);
  return port;
}
