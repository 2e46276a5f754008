import { fileURLToPath } from 'node:url';
import {
  type Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { extractContext, type Log, Problem, SpanKind, withSpan } from '@microservice-platform/common';
import { type Product, type Products, productById } from './products.ts';

export interface GrpcServer {
  readonly port: number;
  /** Lets running calls end, then closes. */
  readonly close: () => Promise<void>;
}

type Call = ServerUnaryCall<{ readonly id: number }, Product>;

const serviceName = 'product.ProductService';

/** Serves `product.ProductService` on `port`. A call's deadline is kept by the server: the caller gets DEADLINE_EXCEEDED. */
export async function serveGrpc(products: Products, options: { port: number; log: Log }): Promise<GrpcServer> {
  const server = new Server();
  server.addService(productService(), {
    GetProduct: (call: Call, callback: sendUnaryData<Product>) => void answer(call, callback, products, options.log),
  });
  const port = await bound(server, `0.0.0.0:${options.port}`);
  options.log.info({ grpc_port: port }, 'gRPC server listening');
  return { port, close: () => closed(server) };
}

/** The service as `proto/product.proto` defines it. */
export function productService(): ServiceDefinition {
  const file = fileURLToPath(new URL('../proto/product.proto', import.meta.url));
  return loadSync(file)[serviceName] as ServiceDefinition;
}

async function answer(call: Call, callback: sendUnaryData<Product>, products: Products, log: Log): Promise<void> {
  const method = `${serviceName}/GetProduct`;
  const attributes = { 'rpc.system.name': 'grpc', 'rpc.method': method };
  const parent = extractContext(headersOf(call.metadata));
  try {
    const product = await withSpan(method, { kind: SpanKind.SERVER, attributes, parent }, async (span) => {
      try {
        return await productById(products, call.request.id);
      } catch (error) {
        span.setAttribute('rpc.status_code', status[statusOf(error)]);
        if (statusOf(error) !== status.NOT_FOUND) throw error;
        return undefined; // an honest answer, no failure of this span
      }
    });
    if (product === undefined) callback({ code: status.NOT_FOUND, details: `there is no product ${call.request.id}` });
    else callback(null, product);
  } catch (error) {
    log.error({ err: error, method }, 'call failed');
    const code = statusOf(error);
    callback({
      code,
      details: error instanceof Problem ? error.message : 'something went wrong on our side',
    });
  }
}

function statusOf(error: unknown): status {
  if (!(error instanceof Problem)) return status.INTERNAL;
  if (error.code === 'not_found') return status.NOT_FOUND;
  return error.code === 'unavailable' ? status.UNAVAILABLE : status.INTERNAL;
}

function headersOf(metadata: Metadata): Record<string, string> {
  const entries = Object.entries(metadata.getMap());
  return Object.fromEntries(entries.map(([name, value]) => [name, value.toString()]));
}

function bound(server: Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(new Error(`cannot listen for gRPC at ${address}`, { cause: error })),
    );
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.tryShutdown((error) => (error === undefined ? resolve() : reject(error)));
  });
}
