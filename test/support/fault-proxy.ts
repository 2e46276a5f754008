import { request as ask, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What happens to one request on its way through the proxy. */
export type Fault =
  /** The connection is cut; the service never hears of it. */
  | 'lost request'
  /** The service does it; its answer never arrives. */
  | 'lost answer'
  /** The service does it; its answer arrives after the caller has given up. */
  | 'late answer'
  /** The service says that it cannot; it was not asked. */
  | '503'
  /** The service is asked twice. */
  | 'twice'
  | 'none';

/** Decides about a request by what was asked before: `nth` counts equal requests from 0. */
export type Plan = (request: { readonly method: string; readonly path: string; readonly nth: number }) => Fault;

export interface FaultProxy {
  readonly url: string;
  /** Requests whose path has this text wait until there is a plan for them. */
  readonly plan: (text: string, plan: Plan) => void;
  /** Requests that no plan is for pass. Default: they wait. */
  readonly passOthers: () => void;
  readonly stop: () => Promise<void>;
}

/** Longer than the deadline of any call. */
const lateMs = 6_000;

/** An HTTP proxy in front of one service that loses, delays and repeats what it is told to. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const plans = new Map<string, Plan>();
  const counts = new Map<string, number>();
  let othersPass = false;

  const planFor = async (path: string): Promise<Plan> => {
    for (;;) {
      const text = [...plans.keys()].find((it) => path.includes(it));
      const plan = text === undefined ? undefined : plans.get(text);
      if (plan !== undefined) return plan;
      if (othersPass) return () => 'none';
      await sleep(5);
    }
  };
  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { method = '', url: path = '' } = incoming;
    const body = await bodyOf(incoming);
    const plan = await planFor(path);
    const nth = counts.get(`${method} ${path}`) ?? 0;
    counts.set(`${method} ${path}`, nth + 1);
    const fault = plan({ method, path, nth });
    if (fault === 'lost request') return void incoming.socket.destroy();
    if (fault === '503') return void outgoing.writeHead(503).end();
    if (fault === 'twice') await forward(target, incoming, body);
    const answer = await forward(target, incoming, body);
    if (fault === 'lost answer') return void incoming.socket.destroy();
    if (fault === 'late answer') await sleep(lateMs);
    outgoing.writeHead(answer.status, answer.headers).end(answer.body);
  };

  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch(() => incoming.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    plan: (text, plan) => plans.set(text, plan),
    passOthers: () => {
      othersPass = true;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function forward(target: string, { method, url, headers }: IncomingMessage, body: Buffer) {
  return new Promise<{ status: number; headers: IncomingMessage['headers']; body: Buffer }>((resolve, reject) => {
    const outgoing = ask(`${target}${url}`, { method, headers, agent: false }, (answer) => {
      bodyOf(answer).then(
        (content) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: content }),
        reject,
      );
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  return Buffer.concat(await message.toArray());
}
