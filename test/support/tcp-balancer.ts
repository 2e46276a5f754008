import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpBalancer {
  readonly port: number;
  readonly stop: () => Promise<void>;
}

/** Gives each new connection to the next of these ports of this machine, and leaves it there, as a Service does. */
export async function startTcpBalancer(
  ports: readonly number[],
  { host = '127.0.0.1', port = 0 }: { readonly host?: string; readonly port?: number } = {},
): Promise<TcpBalancer> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  const server = createServer((client) => {
    const upstream = connect(ports[accepted++ % ports.length] ?? 0, '127.0.0.1');
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
