import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Played {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
}

export type Play = (path: string, request: IncomingMessage) => Played | Promise<Played>;

export interface PlayedBackend {
  readonly url: string;
  /** The paths that were asked for, in that order. */
  readonly asked: string[];
  /** How it answers; it may be changed. */
  play: Play;
  /** Requests whose caller went away before the answer. */
  readonly left: () => number;
  readonly close: () => void;
}

/** A backend that answers as the test says. */
export async function playedBackend(play: Play): Promise<PlayedBackend> {
  const asked: string[] = [];
  let left = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? '';
    asked.push(path);
    response.on('close', () => {
      if (!response.writableFinished) left += 1;
    });
    const { status = 200, headers = {}, body } = await backend.play(path, request);
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(body === undefined ? '' : JSON.stringify(body));
  };
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const backend: PlayedBackend = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    play,
    left: () => left,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
  return backend;
}

/** Counts what it is asked, and says so, with the status that the path ends with, if it does. */
const program = `
let asked = 0;
const server = require('node:http').createServer(({ url }, response) => {
  asked += 1;
  response.writeHead(Number(/\\d{3}$/.exec(url)?.[0] ?? 200), { 'content-type': 'application/json' });
  response.end(JSON.stringify({ url, pid: process.pid, asked }));
});
server.listen(Number(process.argv[1]), '127.0.0.1', () => console.log(server.address().port));
`;

/** A backend that is a process of its own, at this port or at a free one. */
export async function backendProcess(port = 0) {
  const child = spawn('setpriv', ['--pdeathsig=KILL', '--', process.execPath, '-e', program, String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  return {
    url: `http://127.0.0.1:${String(line).trim()}`,
    port: Number(line),
    pid: child.pid as number,
    kill: async () => {
      child.kill('SIGKILL');
      await once(child, 'close');
    },
  };
}
