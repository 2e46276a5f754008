import { fileURLToPath } from 'node:url';
import { grpcMethod } from '@microservice-platform/common/grpc';
import { type Message, type Translated, templateFaults, translated } from '../grpc-translation.ts';
import type { Route, RouteFile } from './schema.ts';

/** The contracts of all services are below this folder. */
const services = new URL('../../../', import.meta.url);

/** Names as the contract has them, and JSON that loses nothing: long numbers as texts, values of enums by name. */
const asJson = { keepCase: true, longs: String, enums: String, bytes: String };

/** The methods that routes lead to, as their contracts define them, and what is wrong with those routes. */
export function grpcMethods({ routes, grpcBackends = {} }: RouteFile): {
  readonly methods: ReadonlyMap<Route, Translated>;
  readonly faults: readonly string[];
} {
  const methods = new Map<Route, Translated>();
  const faults = routes.flatMap((route, index) => {
    const { grpc } = route;
    if (grpc === undefined) return [];
    const backend = Object.hasOwn(grpcBackends, grpc.backend) ? grpcBackends[grpc.backend] : undefined;
    const at = `routes[${index}]`;
    if (backend === undefined) return [`${at} leads to ${grpc.backend}, which is not among the grpcBackends`];
    try {
      const file = fileURLToPath(new URL(backend.contract, services));
      const found = translated(grpcMethod<Message, Message>(file, grpc.method, asJson));
      methods.set(route, found);
      return templateFaults(found, grpc.request ?? {}).map((fault) => `${at} ${fault}`);
    } catch {
      return [`${at} leads to ${grpc.method}, which ${backend.contract} does not define as a single question`];
    }
  });
  return { methods, faults };
}
