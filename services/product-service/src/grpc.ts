import { fileURLToPath } from 'node:url';
import { Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import type { Log, Readiness } from '@microservice-platform/common';
import { protoPath as healthProto } from 'grpc-health-check';
import type { Registry } from 'prom-client';
import { productCalls } from './grpc-handlers.ts';
import { grpcHealth } from './grpc-health.ts';
import { grpcMetrics } from './grpc-metrics.ts';
import type { Products } from './products.ts';

export interface GrpcServer {
  readonly port: number;
  /** Lets running calls end, for two seconds; then those that are left, such as watchers of the health, are cut. */
  readonly close: () => Promise<void>;
}

export interface GrpcOptions {
  readonly host: string;
  readonly port: number;
  readonly readiness: Readiness;
  readonly log: Log;
  /** Where the calls are counted. */
  readonly registry: Registry;
}

const serviceName = 'product.ProductService';
const closeMs = 2_000;

const connection = {
  // A caller that vanished without a word is noticed within eight seconds; its streams would stay for ever.
  'grpc.keepalive_time_ms': 5_000,
  'grpc.keepalive_timeout_ms': 3_000,
  // Callers look up again who there is: a new replica gets its share. What is under way ends where it is.
  'grpc.max_connection_age_ms': 30_000,
};

/**
 * Serves `product.ProductService` on `port`, with health and reflection. A call's deadline is kept by the server: the
 * caller gets DEADLINE_EXCEEDED.
 */
export async function serveGrpc(products: Products, options: GrpcOptions): Promise<GrpcServer> {
  const server = new Server(connection);
  server.addService(
    productService(),
    productCalls(products, { log: options.log, observe: grpcMetrics(options.registry) }),
  );
  const health = await grpcHealth(options.readiness, ['', serviceName]); // '' is the whole server
  health.implementation.addToServer(server);
  new ReflectionService({ ...productPackage(), ...loadSync(healthProto) }).addToServer(server);
  const port = await bound(server, `${options.host}:${options.port}`);
  options.log.info({ grpc_port: port }, 'gRPC server listening');
  return {
    port,
    close: async () => {
      health.stop();
      await closed(server);
    },
  };
}

/** The service as `proto/product.proto` defines it. */
export function productService(): ServiceDefinition {
  return productPackage()[serviceName] as ServiceDefinition;
}

/** With `defaults`, since a caller need not send a field that is 0: it would arrive as undefined. */
function productPackage() {
  return loadSync(fileURLToPath(new URL('../proto/product.proto', import.meta.url)), { defaults: true });
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
    const cut = setTimeout(() => server.forceShutdown(), closeMs);
    server.tryShutdown((error) => {
      clearTimeout(cut);
      if (error === undefined) resolve();
      else reject(error);
    });
  });
}
