import { Agent, type Dispatcher } from 'undici';
import { EtcdError } from './etcd-error.ts';
import type { GrpcStatus } from './etcd-messages.ts';

export interface EtcdEndpoints {
  /** What the first endpoint that can answers. @throws EtcdError naming what each of them said instead */
  readonly call: <T>(path: string, message: object) => Promise<T>;
  /** The body of an answer without an end. It breaks when nothing arrives for `idleMs`, and when `signal` aborts. */
  readonly stream: (
    path: string,
    message: object,
    limits: { readonly idleMs: number; readonly signal: AbortSignal },
  ) => Promise<AsyncIterable<Uint8Array>>;
  /** Whatever is under way fails. */
  readonly close: () => Promise<void>;
}

/** The most that is read of an answer that has an end: some ten thousand entries. */
const maxAnswerBytes = 16 * 1024 * 1024;
/** Calls, and apart from them streams, at once to one endpoint; more wait for their turn. */
const maxConnections = 64;
/** gRPC's deadline exceeded and unavailable: another member may do better. */
const passing = new Set<number | undefined>([4, 14]);

/**
 * Several members of one etcd: the one that answered last is asked first, and when it cannot, the next one. Each has
 * `timeoutMs` to answer. One that did not may have done what it was asked all the same: calls must be such that doing
 * them twice does no harm.
 */
export function etcdEndpoints(endpoints: readonly string[], timeoutMs: number): EtcdEndpoints {
  const options = { connections: maxConnections, connect: { timeout: timeoutMs } };
  const calls = new Agent({ ...options, maxResponseSize: maxAnswerBytes });
  const streams = new Agent(options);
  let preferred = 0;

  const ask = async <T>(path: string, askOne: (origin: string) => Promise<T>): Promise<T> => {
    const failures: string[] = [];
    for (let tried = 0, next = preferred; tried < endpoints.length; tried++, next = (next + 1) % endpoints.length) {
      const endpoint = endpoints[next] ?? '';
      try {
        const answer = await askOne(endpoint);
        preferred = next;
        return answer;
      } catch (error) {
        if (error instanceof EtcdError && !passing.has(error.grpcCode)) throw error;
        failures.push(`${endpoint}: ${error instanceof Error ? error.message || error.name : String(error)}`);
      }
    }
    throw new EtcdError(`etcd does not answer (${path}): ${failures.join('; ')}`);
  };

  return {
    call: <T>(path: string, message: object) =>
      ask(path, async (origin) => {
        const signal = AbortSignal.timeout(timeoutMs);
        const answer = await calls.request({ origin, path, ...posted(message), signal });
        return JSON.parse(await bodyOf(answer)) as T;
      }),
    stream: (path, message, { idleMs, signal }) =>
      ask(path, async (origin) => {
        const limits = { headersTimeout: timeoutMs, bodyTimeout: idleMs, signal };
        const answer = await streams.request({ origin, path, ...posted(message), ...limits });
        if (answer.statusCode !== 200) await bodyOf(answer);
        return answer.body;
      }),
    close: async () => {
      await Promise.all([calls.destroy(), streams.destroy()]);
    },
  };
}

/** A member that has lost the others says so at once, and ends its watches, instead of falling silent. */
const headers = { 'content-type': 'application/json', 'grpc-metadata-hasleader': 'true' };

function posted(message: object) {
  return { method: 'POST', headers, body: JSON.stringify(message) } as const;
}

/** @throws EtcdError with etcd's own message for any status but 200 */
async function bodyOf({ statusCode, body }: Dispatcher.ResponseData): Promise<string> {
  const text = await body.text();
  if (statusCode === 200) return text;
  const { message, code } = refusalIn(text);
  throw new EtcdError(message ?? `etcd answered ${statusCode}: ${text.slice(0, 200)}`, { grpcCode: code });
}

/** Calls are refused by a status of gRPC, streams by one that is called `error`. */
function refusalIn(text: string): GrpcStatus {
  try {
    const refusal = JSON.parse(text) as GrpcStatus & { readonly error?: GrpcStatus | string };
    return typeof refusal.error === 'object' ? refusal.error : refusal;
  } catch {
    return {}; // whatever answered, it was not etcd
  }
}
