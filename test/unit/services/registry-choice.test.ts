import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { HttpClient } from '../../../services/common/src/calls/http-client.ts';
import { baseConfig, readConfig } from '../../../services/common/src/config/config.ts';
import { registryConfig, serviceDirectory } from '../../../services/common/src/discovery/registry-choice.ts';
import { service } from '../../../services/common/src/serving/service.ts';

const app = () => service({ name: 'edge', version: '1', logLevel: 'silent', checks: {} });
const configOf = (env: NodeJS.ProcessEnv) => readConfig(env, { ...baseConfig, ...registryConfig });
/** Nobody listens there. */
const etcdEnv = { REGISTRY: 'etcd', REGISTRY_ETCD_ENDPOINTS: 'http://127.0.0.1:1, http://127.0.0.1:2' };

describe('the registry of a service', () => {
  it('is DNS unless another is asked for: nobody registers', () => {
    expect(configOf({}).registry).toBe('dns');
    expect(serviceDirectory('edge', configOf({}), app()).registration).toBeUndefined();
  });

  it('is the cluster, where the cluster registers', async () => {
    const directory = serviceDirectory('edge', configOf({ REGISTRY: 'kubernetes' }), app());
    expect(directory.registration).toBeUndefined();
    await directory.close();
  });

  it('is etcd, which must be somewhere', async () => {
    const directory = serviceDirectory('edge', configOf(etcdEnv), app());
    expect(directory.registration).toBeDefined();
    await directory.close();
    expect(() => serviceDirectory('edge', configOf({ REGISTRY: 'etcd' }), app())).toThrow(
      'REGISTRY_ETCD_ENDPOINTS is not set, but REGISTRY is etcd',
    );
  });

  it.each([
    ['REGISTRY', 'consul', 'not one of dns, kubernetes, etcd'],
    ['REGISTRY_LEASE_SECONDS', '1', 'not a whole number from 2 to 3600'],
    ['REGISTRY_BALANCING', 'random', 'not one of least-requests, round-robin'],
    ['ADVERTISED_ADDRESS', 'http://10.0.0.1', 'is not a host name or an IP address'],
  ])('refuses %s=%s', (variable, value, message) => {
    expect(() => configOf({ [variable]: value })).toThrow(message);
  });

  it('knows services by a single word; an address, and this machine, are asked where they are', async () => {
    const server = createServer((_, response) => response.end('{}')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const directory = serviceDirectory('edge', configOf(etcdEnv), app());
    const clients: HttpClient[] = [];
    const get = (baseUrl: string) => {
      const client = directory.client({ baseUrl });
      clients.push(client);
      return client.request('GET', '/');
    };
    expect((await get(`http://127.0.0.1:${port}`)).status).toBe(200);
    expect((await get(`http://localhost:${port}`)).status).toBe(200);
    await expect(get('http://orders')).rejects.toThrow('where orders is, is not known: the registry, asked for orders');
    await Promise.all([...clients, directory].map((it) => it.close()));
    server.close();
  });
});
