import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { loadSync, type MethodDefinition, type Options } from '@grpc/proto-loader';
import { type Span, SpanKind } from '@opentelemetry/api';
import type { Registry } from 'prom-client';
import { Problem, type ProblemCode, problems } from '../serving/problem.ts';
import { injectContext, withSpan } from '../telemetry/tracing.ts';
import { codeOf, problemCodeKey } from './grpc-status.ts';
import { callPolicy } from './resilience.ts';
import { UpstreamError } from './upstream-error.ts';

export type { MethodDefinition } from '@grpc/proto-loader';

export interface GrpcClientOptions {
  /** The service that is asked, as metrics and messages name it. */
  readonly name: string;
  /** `host:port`. Calls are spread over all addresses of the host. Or another target of gRPC, such as `ipv4:`. */
  readonly address: string;
  /** Where the calls are counted. */
  readonly registry?: Registry;
  /** For the whole call, retries included. */
  readonly timeoutMs?: number;
  readonly maxConcurrent?: number;
}

export interface GrpcCall<Request, Answer> {
  readonly method: MethodDefinition<Request, Answer>;
  readonly request: Request;
  /** May be made twice. */
  readonly repeatable: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
}

export interface GrpcClient {
  /**
   * The answer to a unary call.
   *
   * @throws Problem with the code that the other side sent and, for the faults of a caller, its detail; one of ours when
   *   there is no answer
   */
  readonly call: <Request, Answer>(call: GrpcCall<Request, Answer>) => Promise<Answer>;
  readonly close: () => void;
}

/** Back in use within two seconds of a restart, and a peer that vanished without a word is noticed within eight. */
const connection = {
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2_000,
  'grpc.keepalive_time_ms': 5_000,
  'grpc.keepalive_timeout_ms': 3_000,
  'grpc.enable_retries': 0, // what is repeated is decided in one place
  'grpc.dns_min_time_between_resolutions_ms': 1_000,
  'grpc.service_config_disable_resolution': 1, // ours holds, not one in the records of a name
  'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
};

/** Unary calls to one other service, under the policy of all calls, their trace and deadline along. Connects at the first. */
export function grpcClient({ address, ...options }: GrpcClientOptions): GrpcClient {
  const target = /^[a-z\d]+:(?!\d+$)/.test(address) ? address : `dns:///${address}`;
  const client = new Client(target, credentials.createInsecure(), connection);
  const policy = callPolicy({ ...options, protocol: 'grpc' });
  const [, host = address, port] = /^(?:[a-z\d]+:)?(.+?)(?::(\d+))?$/.exec(address) ?? [];
  const place = { 'server.address': host, ...(port === undefined ? {} : { 'server.port': Number(port) }) };

  return {
    call: async (call) => {
      const method = call.method.path.slice(1);
      const attributes = { 'rpc.system.name': 'grpc', 'rpc.method': method, ...place };
      let allowedMs = 0;
      try {
        return await policy.call({
          repeatable: call.repeatable,
          signal: call.signal,
          attempt: ({ timeoutMs, attempt }) => {
            if (attempt === 0) allowedMs = timeoutMs;
            const ask = () => unary(client, call, Date.now() + timeoutMs);
            return withSpan(method, { kind: SpanKind.CLIENT, attributes }, (span) => told(span, ask()));
          },
          judge: (settled) => (settled.status === 'fulfilled' ? 'answered' : verdictOf(codeOfError(settled.reason))),
        });
      } catch (error) {
        throw problemFrom(error, options.name, Math.floor(allowedMs));
      }
    },
    close: () => client.close(),
  };
}

/**
 * The unary method `package.Service/Method` of the definition in `file`.
 *
 * @throws Error when the file has no such method
 */
export function grpcMethod<Request, Answer>(
  file: string,
  name: string,
  options: Options = {},
): MethodDefinition<Request, Answer> {
  const [service = '', method = ''] = name.split('/');
  // With `defaults`, since proto3 does not send a field that is 0.
  const definition = loadSync(file, { defaults: true, ...options })[service];
  const methods = definition as unknown as Readonly<Record<string, MethodDefinition<Request, Answer>>> | undefined;
  const found = methods !== undefined && Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (found?.path !== `/${name}`) throw new Error(`${file} defines no ${name}`);
  if (found.requestStream || found.responseStream) throw new Error(`${name} is a stream, not a single question`);
  return found;
}

function unary<Request, Answer>(
  client: Client,
  { method, request, headers = {}, signal }: GrpcCall<Request, Answer>,
  deadline: number,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      metadataOf(headers),
      { deadline },
      (error, answer) => {
        signal?.removeEventListener('abort', leave);
        if (error) reject(error);
        else if (answer) resolve(answer);
        else reject(new Problem('upstream_error', `${method.path.slice(1)} gave no answer`));
      },
    );
    const leave = () => call.cancel();
    signal?.addEventListener('abort', leave, { once: true });
  });
}

/** Writes the status of an answer on its span. */
async function told<Answer>(span: Span, answer: Promise<Answer>): Promise<Answer> {
  try {
    const given = await answer;
    span.setAttribute('rpc.response.status_code', 'OK');
    return given;
  } catch (error) {
    const { code } = error as Partial<ServiceError>;
    const name = code === undefined ? 'UNKNOWN' : status[code];
    span.setAttributes({ 'rpc.response.status_code': name, 'error.type': name });
    throw error;
  }
}

function metadataOf(headers: Readonly<Record<string, string>>): Metadata {
  const carrier: Record<string, string> = { ...headers };
  injectContext(carrier);
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(carrier)) metadata.set(key, value);
  return metadata;
}

/** What an error of a call is to our caller: the code that the other side sent; its inner faults are not ours. */
function codeOfError(error: unknown): ProblemCode {
  if (error instanceof UpstreamError || error instanceof Problem) return error.code;
  const { code, metadata } = error as Partial<ServiceError>;
  const sent = codeOf(code ?? -1, metadata?.get(problemCodeKey)[0]);
  return sent === 'internal' ? 'upstream_error' : sent;
}

function verdictOf(code: ProblemCode): 'answered' | 'failed' | 'late' {
  if (code === 'upstream_timeout') return 'late';
  return problems[code].status < 500 ? 'answered' : 'failed';
}

function problemFrom(error: unknown, name: string, allowedMs: number): Problem {
  const code = codeOfError(error);
  const own: Partial<Record<ProblemCode, string>> = {
    upstream_timeout: `${name} did not answer within ${allowedMs} ms`,
    unavailable: `${name} cannot be reached; try again in a moment`,
  };
  const said = problems[code].status < 500 ? (error as Partial<ServiceError>).details : undefined;
  return new Problem(code, own[code] ?? (said || `${name} failed`), { cause: error });
}
