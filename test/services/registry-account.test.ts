import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServiceInfo } from '../../services/common/src/discovery/service-registry.ts';
import { eventually } from '../support/eventually.ts';
import { kubernetesBench } from '../support/registries.ts';

let bench: Awaited<ReturnType<typeof kubernetesBench>>;

beforeAll(async () => {
  bench = await kubernetesBench();
});
afterAll(() => bench.stop());

const first: ServiceInfo = { id: 'orders-1', name: 'orders', address: '10.0.0.1', port: 80, metadata: {}, tags: [] };

describe('the registry of Kubernetes, by the account of its pod', () => {
  it('uses the token that is there now', async () => {
    const file = join(bench.account, 'token');
    const token = readFileSync(file);
    const registry = bench.connect();
    writeFileSync(file, 'one that ran out');
    await expect(registry.discover('orders')).rejects.toThrow('the API server answered 401');
    writeFileSync(file, token);
    await bench.appear(registry, first);
    await eventually(async () => expect(await registry.discover('orders')).toHaveLength(1));
  });

  it('says what its account may not do', async () => {
    const file = join(bench.account, 'namespace');
    const namespace = readFileSync(file);
    writeFileSync(file, 'kube-system');
    await expect(bench.connect().discover('orders')).rejects.toThrow(
      'the API server answered 403: may the account list and watch EndpointSlices?',
    );
    writeFileSync(file, namespace);
  });
});
