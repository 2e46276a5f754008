import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HttpOptions {
  /** 0 takes a free port. */
  readonly port: number;
  /** Why the process should be started anew; undefined while it is well. That it answers at all shows that its event loop turns. */
  readonly unhealthy: () => string | undefined;
  /** Why there should be no work for it yet, or any more; undefined when it is ready. */
  readonly unready: () => string | undefined;
  readonly metrics: { readonly contentType: string; metrics(): Promise<string> };
}

export interface HttpServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves /healthz, /readyz and /metrics.
 * @throws Error when the port cannot be had
 */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const { port, unhealthy, unready, metrics } = options;
  const routes: Readonly<Record<string, (response: ServerResponse) => Promise<void> | void>> = {
    '/healthz': (response) => state(response, unhealthy()),
    '/readyz': (response) => state(response, unready()),
    '/metrics': async (response) => answer(response, 200, await metrics.metrics(), metrics.contentType),
  };
  const server = createServer({ requestTimeout: 5_000, headersTimeout: 5_000, keepAliveTimeout: 30_000 });
  server.on('request', (request, response) => {
    const path = request.url?.split('?', 1)[0] ?? '';
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (route === undefined) return answer(response, 404, 'not found: there are /healthz, /readyz and /metrics\n');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return answer(response, 405, 'method not allowed\n');
    }
    Promise.resolve(route(response)).catch((error: Error) => answer(response, 500, `${error.message}\n`));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function state(response: ServerResponse, trouble: string | undefined): void {
  answer(response, trouble === undefined ? 200 : 503, `${trouble ?? 'ok'}\n`);
}

function answer(response: ServerResponse, status: number, body: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type });
  response.end(body);
}
