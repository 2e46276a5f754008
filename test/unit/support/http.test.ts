import { afterEach, expect, test } from 'vitest';
import { type HttpServer, serveHttp } from '../../../operator/src/support/http.ts';

let server: HttpServer;
afterEach(() => server.close());

async function serve(trouble: { unhealthy?: string; unready?: string } = {}): Promise<void> {
  server = await serveHttp({
    port: 0,
    unhealthy: () => trouble.unhealthy,
    unready: () => trouble.unready,
    metrics: { contentType: 'text/plain; version=0.0.4', metrics: async () => 'up 1\n' },
  });
}

async function ask(path: string, method = 'GET'): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
  return `${answer.status} ${await answer.text()}`;
}

test('an operator without trouble is healthy and ready', async () => {
  await serve();

  expect([await ask('/healthz'), await ask('/readyz'), await ask('/metrics')]).toEqual([
    '200 ok\n',
    '200 ok\n',
    '200 up 1\n',
  ]);
});

test('an operator in trouble says which', async () => {
  await serve({ unhealthy: 'a watch is stuck', unready: 'stopping' });

  expect([await ask('/healthz'), await ask('/readyz?verbose')]).toEqual(['503 a watch is stuck\n', '503 stopping\n']);
});

test('anything else is refused', async () => {
  await serve();

  expect(await ask('/')).toMatch(/^404 /);
  expect(await ask('/constructor')).toMatch(/^404 /);
  expect(await ask('/metrics', 'POST')).toMatch(/^405 /);
});
