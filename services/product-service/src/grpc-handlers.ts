import { once } from 'node:events';
import type { ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';
import { type Observers, served } from './grpc-call.ts';
import { everyProduct, type Product, type Products, productById } from './products.ts';
import { streamPageSize } from './validator.ts';

type GetCall = ServerUnaryCall<{ readonly id: number }, Product>;
type ListCall = ServerWritableStream<{ readonly pageSize: number }, Product>;

/** The gRPC side of the product service. */
export function productCalls(products: Products, observers: Observers) {
  return {
    GetProduct: async (call: GetCall, callback: sendUnaryData<Product>) => {
      const { answer, error } = await served(call, observers, (signal) =>
        productById(products, call.request.id, signal),
      );
      callback(error ?? null, answer);
    },
    ListProducts: async (call: ListCall) => {
      const { error } = await served(call, observers, (signal) => sendProducts(call, products, signal));
      if (error === undefined) call.end();
      else call.emit('error', error);
    },
  };
}

/** Waits whenever the caller does not keep up; meanwhile nothing is read, and no connection to the database is held. */
async function sendProducts(call: ListCall, products: Products, signal: AbortSignal): Promise<void> {
  for await (const product of everyProduct(products, streamPageSize(call.request.pageSize), signal)) {
    signal.throwIfAborted();
    if (!call.write(product)) await once(call, 'drain', { signal });
  }
}
