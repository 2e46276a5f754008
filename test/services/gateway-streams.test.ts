import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { follow } from '../support/event-stream.ts';
import { eventually } from '../support/eventually.ts';
import { startService } from '../support/service-process.ts';
import { ask, metric, routesEnv } from '../support/shop.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A backend whose answers the test writes, and that knows who is still there. */
async function backend(answer: (response: ServerResponse) => unknown) {
  const asked: { readonly request: IncomingMessage; readonly response: ServerResponse }[] = [];
  const server = createServer((incoming, response) => {
    asked.push({ request: incoming, response });
    answer(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(
    () => server.close(),
    () => server.closeAllConnections(),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const begin = (response: ServerResponse) =>
  response.writeHead(200, { 'content-type': 'text/event-stream', server: 'secret' }).write('id: 1\n\n');

async function gatewayTo(url: string, limits: object = {}, env: Record<string, string> = {}) {
  const stream = { backend: 'orders', ...limits };
  const gateway = await startService('api-gateway', {
    ...routesEnv({ backends: { orders: { url } }, routes: [{ path: '/orders/:id/events', methods: ['GET'], stream }] }),
    ...env,
  });
  closers.push(() => gateway.stop('SIGKILL'));
  const open = () => metric(gateway.url, 'gateway_open_streams{endpoint="/orders/:id/events"}');
  return { ...gateway, open, events: `${gateway.url}/orders/7/events` };
}

describe('a route to a stream', () => {
  it('passes on each piece as it comes, and ends when the backend ends', async () => {
    const { url, asked } = await backend(begin);
    const gateway = await gatewayTo(url);
    const stream = await follow(gateway.events, { 'last-event-id': '4', 'x-user-id': 'somebody' });
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    expect(stream.headers.get('server')).toBeNull();
    await eventually(() => expect(stream.text()).toBe('id: 1\n\n'));
    expect(asked[0]?.request.headers['last-event-id']).toBe('4');
    expect(asked[0]?.request.headers['x-user-id']).toBeUndefined();
    expect(await gateway.open()).toBe(1);
    asked[0]?.response.write('id: 2\n\n');
    await eventually(() => expect(stream.text()).toBe('id: 1\n\nid: 2\n\n'));
    asked[0]?.response.end();
    await stream.ended;
    await eventually(async () => expect(await gateway.open()).toBe(0));
  });

  it('leaves the backend when the caller has left', async () => {
    const { url, asked } = await backend(begin);
    const gateway = await gatewayTo(url);
    const stream = await follow(gateway.events);
    const left = once(asked[0]?.response as ServerResponse, 'close');
    stream.leave();
    await left;
    await eventually(async () => expect(await gateway.open()).toBe(0));
  });

  it('is broken for the caller where the backend broke it, and not ended as if it were whole', async () => {
    const { url, asked } = await backend(begin);
    const gateway = await gatewayTo(url);
    const stream = await follow(gateway.events);
    await eventually(() => expect(stream.text()).toBe('id: 1\n\n'));
    asked[0]?.response.destroy();
    await expect(stream.ended).rejects.toThrow();
  });

  it('is read no faster than the caller takes it', { timeout: 30_000 }, async () => {
    const piece = Buffer.alloc(64 * 1024, '.');
    let written = 0;
    const { url } = await backend(async (response) => {
      const closed = once(response, 'close');
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      while (written < 256 * 1024 * 1024 && !response.destroyed) {
        written += piece.length;
        if (!response.write(piece)) await Promise.race([once(response, 'drain'), closed]);
      }
    });
    const gateway = await gatewayTo(url);
    const caller = request(gateway.events).end();
    const [answer] = (await once(caller, 'response')) as [IncomingMessage];
    answer.pause();
    let before = -1;
    await eventually(
      () => {
        const same = written === before;
        before = written;
        expect(same).toBe(true); // nobody takes any, so nothing more is read
      },
      { everyMs: 300 },
    );
    expect(written).toBeLessThan(32 * 1024 * 1024); // what the buffers of the system hold
    caller.destroy();
  });

  it('is ended when nothing comes for too long', async () => {
    const { url, asked } = await backend(begin);
    const gateway = await gatewayTo(url, { idleMs: 200 });
    const stream = await follow(gateway.events);
    const left = once(asked[0]?.response as ServerResponse, 'close');
    const started = performance.now();
    await stream.ended.catch(() => undefined);
    await left;
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it('lasts so long and no longer: then it is ended in order', async () => {
    const { url } = await backend(begin);
    const gateway = await gatewayTo(url, { longestMs: 1_000 });
    const started = performance.now();
    await (await follow(gateway.events)).ended;
    const lasted = performance.now() - started;
    expect(lasted).toBeGreaterThan(900);
    expect(lasted).toBeLessThan(5_000); // the limit for other answers is 10 s
  });

  it('is refused when as many are open as may be', async () => {
    const { url } = await backend(begin);
    const gateway = await gatewayTo(url, { maxStreams: 2 });
    const two = await Promise.all([follow(gateway.events), follow(gateway.events)]);
    const { status, body } = await ask(gateway.events);
    expect([status, body.code]).toEqual([503, 'unavailable']);
    two[0]?.leave();
    await eventually(async () => {
      const another = await follow(gateway.events);
      expect(another.status).toBe(200);
    });
  });

  it('answers what the backend answers instead of a stream, and 502 where nobody is', async () => {
    const gone = { code: 'not_found', status: 404 };
    const { url } = await backend((response) =>
      response.writeHead(404, { 'content-type': 'application/problem+json' }).end(JSON.stringify(gone)),
    );
    const gateway = await gatewayTo(url);
    expect(await ask(gateway.events)).toMatchObject({ status: 404, body: gone });
    const lost = await gatewayTo('http://127.0.0.1:1');
    expect(await ask(lost.events)).toMatchObject({ status: 502, body: { code: 'upstream_error' } });
    expect(await lost.open()).toBe(0);
  });

  it('is ended in order when the gateway stops', async () => {
    const { url } = await backend(begin);
    const gateway = await gatewayTo(url);
    const stream = await follow(gateway.events);
    await eventually(() => expect(stream.text()).toBe('id: 1\n\n'));
    const stopped = gateway.stop();
    await stream.ended;
    expect(await stopped).toEqual({ code: 0, signal: null });
  });
});
