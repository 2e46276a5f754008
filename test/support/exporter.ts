import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A process that answers with metrics, at one path and no other. */
export interface Exporter extends AsyncDisposable {
  readonly port: number;
  readonly address: string;
  /** The page from now on. */
  page: string;
}

export async function startExporter(page: string, path = '/metrics'): Promise<Exporter> {
  const server = createServer((request, response) => {
    if (request.url !== path) return response.writeHead(404).end();
    return response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(exporter.page);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const exporter: Exporter = {
    port,
    address: `127.0.0.1:${port}`,
    page,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return exporter;
}
