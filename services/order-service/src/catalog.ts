import { fileURLToPath } from 'node:url';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { loadSync, type MethodDefinition } from '@grpc/proto-loader';
import { injectContext, Problem, type ProblemCode, SpanKind, withSpan } from '@microservice-platform/common';
import type { Catalog } from './orders.ts';

export interface RemoteCatalog extends Catalog {
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
};

/** The product service, asked by gRPC; each call ends within `deadlineMs`. Connects at the first call. */
export function remoteCatalog(address: { host: string; port: number }, deadlineMs = 5_000): RemoteCatalog {
  const client = new Client(`${address.host}:${address.port}`, credentials.createInsecure(), connection);
  const getProduct = productMethod();

  const call = (id: number) =>
    new Promise<Product>((resolve, reject) => {
      client.makeUnaryRequest(
        getProduct.path,
        getProduct.requestSerialize,
        getProduct.responseDeserialize,
        { id },
        traceMetadata(),
        { deadline: Date.now() + deadlineMs },
        (error, product) => {
          if (error) reject(problemOf(error, id, deadlineMs));
          else if (product) resolve(product);
          else reject(new Problem('upstream_error', 'product-service gave no answer'));
        },
      );
    });

  const attributes = {
    'rpc.system.name': 'grpc',
    'rpc.method': method,
    'server.address': address.host,
    'server.port': address.port,
  };
  return {
    product: (id) => withSpan(method, { kind: SpanKind.CLIENT, attributes }, () => call(id)),
    close: () => client.close(),
  };
}

function productMethod(): GetProduct {
  const file = fileURLToPath(new URL('../../product-service/proto/product.proto', import.meta.url));
  const service = loadSync(file)['product.ProductService'] as unknown as Record<string, GetProduct>;
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

function problemOf(error: ServiceError, id: number, deadlineMs: number): Problem {
  const problem = (code: ProblemCode, detail: string) => new Problem(code, detail, { cause: error });
  if (error.code === status.NOT_FOUND) return problem('not_found', `product ${id} does not exist`);
  if (error.code === status.DEADLINE_EXCEEDED)
    return problem('upstream_timeout', `product-service did not answer within ${deadlineMs} ms`);
  if (error.code === status.UNAVAILABLE)
    return problem('unavailable', 'product-service cannot be reached; try again in a moment');
  return problem('upstream_error', `product-service failed: ${status[error.code]}`);
}
