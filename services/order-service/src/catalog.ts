import { fileURLToPath } from 'node:url';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { loadSync, type MethodDefinition } from '@grpc/proto-loader';
import {
  callPolicy,
  codeOf,
  injectContext,
  Problem,
  type ProblemCode,
  problemCodeKey,
  problems,
  SpanKind,
  UpstreamError,
  withSpan,
} from '@microservice-platform/common';
import type { Registry } from 'prom-client';

export interface RemoteCatalog {
  /** @throws Problem `not_found`, or a Problem that says why nobody could tell */
  readonly product: (id: number) => Promise<Product>;
  readonly close: () => void;
}

interface Product {
  readonly id: number;
  readonly name: string;
  readonly price: number;
}

type GetProduct = MethodDefinition<{ readonly id: number }, Product>;

const method = 'product.ProductService/GetProduct';

/** Back in use within two seconds of a restart, and a peer that vanished without a word is noticed within eight. */
const connection = {
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2_000,
  'grpc.keepalive_time_ms': 5_000,
  'grpc.keepalive_timeout_ms': 3_000,
  'grpc.enable_retries': 0, // what is repeated is decided in one place
};

/** The product service, asked by gRPC under the policy of all calls. Connects at the first call. */
export function remoteCatalog(
  address: { readonly host: string; readonly port: number },
  options: { readonly registry?: Registry; readonly timeoutMs?: number } = {},
): RemoteCatalog {
  const client = new Client(`${address.host}:${address.port}`, credentials.createInsecure(), connection);
  const getProduct = productMethod();
  const policy = callPolicy({ name: 'product-service', ...options });
  const attributes = {
    'rpc.system.name': 'grpc',
    'rpc.method': method,
    'server.address': address.host,
    'server.port': address.port,
  };

  const ask = (id: number, timeoutMs: number) =>
    new Promise<Product>((resolve, reject) => {
      client.makeUnaryRequest(
        getProduct.path,
        getProduct.requestSerialize,
        getProduct.responseDeserialize,
        { id },
        traceMetadata(),
        { deadline: Date.now() + timeoutMs },
        (error, product) => {
          if (error) reject(error);
          else if (product) resolve(product);
          else reject(new Problem('upstream_error', 'product-service gave no answer'));
        },
      );
    });

  return {
    product: async (id) => {
      let allowedMs = 0;
      try {
        return await policy.call({
          repeatable: true,
          attempt: ({ timeoutMs, attempt }) => {
            if (attempt === 0) allowedMs = timeoutMs;
            return withSpan(method, { kind: SpanKind.CLIENT, attributes }, () => ask(id, timeoutMs));
          },
          judge: (settled) => (settled.status === 'fulfilled' ? 'answered' : verdictOf(codeOfError(settled.reason))),
        });
      } catch (error) {
        const code = codeOfError(error);
        throw new Problem(code, details(id, allowedMs)[code] ?? 'product-service failed', { cause: error });
      }
    },
    close: () => client.close(),
  };
}

/** What an error of a call is to our caller: the code that product-service sent; its inner faults are not ours. */
function codeOfError(error: unknown): ProblemCode {
  if (error instanceof UpstreamError || error instanceof Problem) return error.code;
  const { code, metadata } = error as ServiceError;
  const sent = codeOf(code, metadata?.get(problemCodeKey)[0]);
  return sent === 'internal' ? 'upstream_error' : sent;
}

function verdictOf(code: ProblemCode): 'answered' | 'failed' | 'late' {
  if (code === 'upstream_timeout') return 'late';
  return problems[code].status < 500 ? 'answered' : 'failed';
}

function details(id: number, allowedMs: number): Partial<Record<ProblemCode, string>> {
  return {
    not_found: `product ${id} does not exist`,
    upstream_timeout: `product-service did not answer within ${allowedMs} ms`,
    unavailable: 'product-service cannot be reached; try again in a moment',
  };
}

function productMethod(): GetProduct {
  const file = fileURLToPath(new URL('../../product-service/proto/product.proto', import.meta.url));
  // With `defaults`, since proto3 does not send a field that is 0.
  const service = loadSync(file, { defaults: true })['product.ProductService'] as unknown as Record<string, GetProduct>;
  const { GetProduct } = service;
  if (GetProduct === undefined) throw new Error(`${file} defines no ${method}`);
  return GetProduct;
}

function traceMetadata(): Metadata {
  const carrier: Record<string, string> = {};
  injectContext(carrier);
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(carrier)) metadata.set(key, value);
  return metadata;
}
