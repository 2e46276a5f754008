import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config.ts';

/** What a TLS connection to the API server needs. The same object as long as nothing changed. */
export interface TlsIdentity {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

/** Where the API server is, and who the operator is to it. */
export interface Connection {
  readonly server: URL;
  /** For new connections. As fresh as the last Authorization header, so a new certificate authority is picked up. */
  readonly tls: TlsIdentity;
  /** The Authorization header; `renewed` asks for one newer than the one that the API server just refused. */
  authorization(options?: { readonly renewed?: boolean }): Promise<string | undefined>;
}

interface Identity {
  readonly tls: TlsIdentity;
  readonly authorization: string | undefined;
}

/** Tokens of ServiceAccounts are replaced by the kubelet long before they expire; a minute late is early enough. */
const rereadMs = 60_000;

const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * The connection that the configuration asks for.
 * @throws Error naming the file that is missing or unusable
 */
export function connectionOf(config: Pick<Config, 'kubeconfig' | 'apiServer'>): Promise<Connection> {
  if (config.kubeconfig !== undefined) return fromKubeconfig(config.kubeconfig);
  if (config.apiServer !== undefined) return inCluster(config.apiServer);
  throw new Error('neither KUBECONFIG nor the address of an API server is known');
}

/** The identity of a pod: its ServiceAccount. */
export function inCluster(
  { host, port }: { readonly host: string; readonly port: string },
  folder = serviceAccount,
): Promise<Connection> {
  const server = new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`);
  return connectionTo(server, async () => {
    const [token, ca] = await Promise.all(['token', 'ca.crt'].map((name) => readFile(`${folder}/${name}`, 'utf8')));
    return { tls: { ca: ca ?? '' }, authorization: `Bearer ${token?.trim()}` };
  });
}

/**
 * The identity of a kubeconfig's current context, with everything that such files may ask for (certificates,
 * tokens, commands, OIDC). The client library that knows how is loaded only here: it takes some 80 MB.
 */
export async function fromKubeconfig(path: string): Promise<Connection> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const kubeconfig = new KubeConfig();
  kubeconfig.loadFromFile(path);
  const cluster = kubeconfig.getCurrentCluster();
  if (cluster === null) throw new Error(`${path}: no current context that names a known cluster`);
  return connectionTo(new URL(cluster.server), async () => {
    const options: RequestOptions = {};
    await kubeconfig.applyToHTTPSOptions(options);
    return { tls: tlsOf(options), authorization: authorizationOf(options) };
  });
}

function tlsOf(options: RequestOptions): TlsIdentity {
  const pem = (value: unknown) => (typeof value === 'string' || Buffer.isBuffer(value) ? value : undefined);
  const [ca, cert, key] = [pem(options.ca), pem(options.cert), pem(options.key)];
  return {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(options.servername && { servername: options.servername }),
    ...(options.rejectUnauthorized === undefined ? {} : { rejectUnauthorized: options.rejectUnauthorized }),
  };
}

function authorizationOf(options: RequestOptions): string | undefined {
  if (options.auth) return `Basic ${Buffer.from(options.auth).toString('base64')}`;
  const found = Object.entries(options.headers ?? {}).find(([name]) => name.toLowerCase() === 'authorization');
  return typeof found?.[1] === 'string' ? found[1] : undefined;
}

/** Reads the identity once a minute. One that cannot be read anew is no failure: the old one stays until it can. */
async function connectionTo(server: URL, read: () => Promise<Identity>): Promise<Connection> {
  let current = await read();
  let readAt = performance.now();
  let reading: Promise<void> | undefined;
  const renew = async () => {
    try {
      const next = await read();
      // An equal identity stays the same object, so that TLS sessions go on being resumed.
      current = isDeepStrictEqual(next.tls, current.tls) ? { ...next, tls: current.tls } : next;
    } catch {
      // The API server says so if the old identity is no longer good.
    } finally {
      readAt = performance.now();
      reading = undefined;
    }
  };
  return {
    server,
    get tls() {
      return current.tls;
    },
    authorization: async ({ renewed = false } = {}) => {
      if (renewed || performance.now() - readAt > rereadMs) {
        reading ??= renew();
        await reading;
      }
      return current.authorization;
    },
  };
}
