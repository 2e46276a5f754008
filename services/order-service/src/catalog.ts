import { fileURLToPath } from 'node:url';
import { Problem } from '@microservice-platform/common';
import { grpcClient, grpcMethod } from '@microservice-platform/common/grpc';
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

const contract = fileURLToPath(new URL('../../product-service/proto/product.proto', import.meta.url));

/** The product service, asked by gRPC under the policy of all calls. Connects at the first call. */
export function remoteCatalog(
  { host, port }: { readonly host: string; readonly port: number },
  options: { readonly registry?: Registry; readonly timeoutMs?: number } = {},
): RemoteCatalog {
  const client = grpcClient({ name: 'product-service', address: `${host}:${port}`, ...options });
  const method = grpcMethod<{ readonly id: number }, Product>(contract, 'product.ProductService/GetProduct');
  return {
    product: async (id) => {
      try {
        return await client.call({ method, request: { id }, repeatable: true });
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== 'not_found') throw error;
        throw new Problem('not_found', `product ${id} does not exist`, { cause: error });
      }
    },
    close: client.close,
  };
}
