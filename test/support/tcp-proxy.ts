import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands between a client and a server and breaks what is between them. */
export interface TcpProxy {
  readonly port: number;
  /** Connections that were made so far. */
  readonly accepted: number;
  /** From now on nothing of what the server says arrives, while what the client says still does. */
  swallowAnswers(): void;
  /** Does something once, when a client says `text`, before the server hears it. */
  whenClientSays(text: string, act: () => void): void;
  /** Breaks all connections; new ones work again in both directions. */
  cut(): void;
  stop(): Promise<void>;
}

/** A proxy on a free port of the loopback interface. */
export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let swallow = false;
  const triggers = new Map<string, () => void>();
  let accepted = 0;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    accepted++;
    const upstream = connect(target.port, target.host);
    keep(client);
    keep(upstream);
    client.on('data', (chunk) => {
      for (const [text, act] of triggers) {
        if (chunk.includes(text) && triggers.delete(text)) act();
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (!swallow) client.write(chunk);
    });
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    swallow = false;
    triggers.clear();
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    get accepted() {
      return accepted;
    },
    swallowAnswers: () => {
      swallow = true;
    },
    whenClientSays: (text, act) => triggers.set(text, act),
    cut,
    stop: async () => {
      server.close();
      cut();
      await once(server, 'close');
    },
  };
}
