import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../cluster/wait-for.ts';
import { runService, startService } from '../support/service-process.ts';
import { gatewayEnv } from '../support/shop.ts';

/** A backend that keeps every request until the test lets it go. */
const held: ServerResponse[] = [];
const backend = createServer((_request, response) => void held.push(response));
let backendUrl = '';

beforeAll(async () => {
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  backendUrl = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`;
});
afterAll(() => {
  backend.close();
  backend.closeAllConnections();
});

function startGateway(drainMs: number) {
  return startService('api-gateway', { ...gatewayEnv({}, backendUrl), SHUTDOWN_DRAIN_MS: String(drainMs) });
}

const noDatabase = {
  DB_HOST: '127.0.0.1',
  DB_PORT: '1',
  DB_USER: 'product',
  DB_PASSWORD: 'none',
  DB_NAME: 'product',
};

const refused = (url: string) =>
  fetch(url).then(
    () => false,
    (error: Error) => String((error.cause as Error).message).includes('ECONNREFUSED'),
  );

describe('a service that is told to stop', () => {
  it('goes unready and serves on, then lets running requests end, takes no new ones, and exits with 0', async () => {
    const service = await startGateway(600);
    const running = fetch(`${service.url}/products/1`);
    await waitFor('the request to be with the backend', async () => held.length === 1);

    const ended = service.stop();
    await waitFor('draining', async () => service.log.some(({ msg }) => msg === 'draining'));
    const ready = await fetch(`${service.url}/readyz`);
    expect([ready.status, await ready.json()]).toMatchObject([503, { reason: 'shutting down' }]);
    const alive = await fetch(`${service.url}/healthz`);
    expect([alive.status, alive.headers.get('connection')]).toEqual([200, 'close']);

    await waitFor('new connections to be refused', () => refused(`${service.url}/healthz`));
    expect(service.child.exitCode).toBeNull();
    held[0]?.end('done');
    expect((await running).status).toBe(200);
    expect(await ended).toEqual({ code: 0, signal: null });
  });

  it('is not held up by a connection that never sends a request', async () => {
    const service = await startGateway(0);
    const silent = connect(Number(new URL(service.url).port), '127.0.0.1');
    await once(silent, 'connect');
    expect(await service.stop()).toEqual({ code: 0, signal: null });
    silent.destroy();
  });

  it('ends at once when told a second time', async () => {
    const service = await startGateway(60_000);
    service.child.kill('SIGTERM');
    await waitFor('draining', async () => service.log.some(({ msg }) => msg === 'draining'));
    const started = performance.now();
    expect(await service.stop()).toEqual({ code: 143, signal: null });
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it('ends at once while it still waits for its database', async () => {
    const { child, log, ended } = runService('product-service', noDatabase);
    await waitFor('the wait for the database', async () =>
      log.some(({ msg }) => String(msg).startsWith('waiting for')),
    );
    child.kill('SIGTERM');
    expect(await ended).toEqual({ code: 0, signal: null });
  });
});

describe('a service that cannot start', () => {
  it('names every fault of its environment and exits with 1', async () => {
    const env = { SERVER_PORT: 'x', DB_PORT: 'y', OTEL_TRACES_EXPORTER: 'none' };
    const { log, ended } = runService('product-service', env);
    expect((await ended).code).toBe(1);
    const output = log.map(({ msg }) => msg).join('\n');
    for (const name of ['SERVER_PORT', 'DB_HOST', 'DB_PORT', 'DB_USER', 'DB_PASSWORD', 'DB_NAME']) {
      expect(output).toMatch(new RegExp(`^  ${name} is `, 'm'));
    }
  });

  it('refuses an unknown exporter of traces and lists the known ones', async () => {
    const { log, ended } = runService('product-service', { OTEL_TRACES_EXPORTER: 'zipkin' });
    expect((await ended).code).toBe(1);
    expect(log.map(({ msg }) => msg).join('\n')).toContain(
      'OTEL_TRACES_EXPORTER is "zipkin", not one of otlp, jaeger, console, none',
    );
  });

  it('says so when the optional package of the Jaeger exporter is not installed', async () => {
    const { log, ended } = runService('product-service', {
      ...noDatabase,
      OTEL_TRACES_EXPORTER: 'jaeger',
      NODE_OPTIONS: `--import ${withoutPackage('@opentelemetry/exporter-jaeger')}`,
    });
    expect((await ended).code).toBe(1);
    expect(log.map(({ msg }) => msg).join('\n')).toContain(
      'OTEL_TRACES_EXPORTER is jaeger, but @opentelemetry/exporter-jaeger is not installed',
    );
  });

  /** A module that lets Node find everything but one package. */
  function withoutPackage(name: string): string {
    const source = `
      import { registerHooks } from 'node:module';
      registerHooks({ resolve(specifier, context, next) {
        if (specifier === '${name}') throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
        return next(specifier, context);
      } });`;
    return `data:text/javascript,${encodeURIComponent(source)}`;
  }
});
