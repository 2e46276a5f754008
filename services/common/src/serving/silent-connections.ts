import type { Server } from 'node:http';

/**
 * Closes a connection that has sent nothing for `ms` after it was made. Node counts the time for a request from its first
 * byte on, so that one which never comes would hold its connection for ever, and a shutdown with it.
 */
export function closeSilentConnections(server: Server, ms: number): void {
  server.on('connection', (socket) => {
    const late = setTimeout(() => {
      if (socket.bytesRead === 0) socket.destroy();
    }, ms);
    late.unref();
    socket.once('close', () => clearTimeout(late));
  });
}
