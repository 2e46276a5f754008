import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { run } from '../../cluster/run.ts';
import { tool } from '../../cluster/toolchain.ts';
import { api, orders, plane, startApiServer } from '../support/api-server.ts';
import { blocksOf, documentAt, repository } from '../support/documents.ts';
import { microservice } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { paths, type Wire } from '../support/kube-api.ts';
import { OperatorProcess } from '../support/operator-process.ts';
import { runPods } from '../support/played-node.ts';

/** Tools that wait for a Microservice, with what the operator really says; the test plays the node. */
const argo = join(repository, 'docs/gitops/argo-cd/resource_customizations/microservice-platform.io/Microservice');
const script = readFileSync(join(argo, 'health.lua'), 'utf8');

interface Health {
  readonly status: string;
  readonly message: string;
}

/** What Argo CD makes of an object: its scripts are Lua 5.1, with the object as `obj`. */
async function healthOf(object: Wire): Promise<Health> {
  const program = `obj = ${literal(object)}
local health = (function()
${script}
end)()
io.write(health.status, "\\n", health.message)`;
  const [status = '', message = ''] = (await run('lua5.1', ['-'], { timeoutMs: 5_000, input: program })).split('\n');
  return { status, message };
}

/** JSON as Lua; what is null is not there. */
function literal(value: unknown): string {
  if (Array.isArray(value)) return `{${value.map(literal).join(', ')}}`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([, field]) => field !== null && field !== undefined);
    return `{${fields.map(([key, field]) => `[${text(key)}] = ${literal(field)}`).join(', ')}}`;
  }
  return typeof value === 'string' ? text(value) : JSON.stringify(value);
}

const text = (value: string) =>
  `"${[...Buffer.from(value)].map((byte) => `\\${String(byte).padStart(3, '0')}`).join('')}"`;

describe('the health of a Microservice in Argo CD', () => {
  const { tests }: Wire = parse(readFileSync(join(argo, 'health_test.yaml'), 'utf8'));
  const cases = tests.map(({ inputPath, healthStatus }: Wire): [string, Health] => [inputPath, healthStatus]);

  test.for<[string, Health]>(cases)('of %s', async ([path, expected]) => {
    expect(await healthOf(parse(readFileSync(join(argo, path), 'utf8')))).toEqual(expected);
  });

  test('knows the states that there are', () => {
    const states = new Set(cases.map(([, { status }]: [string, Health]) => status));
    expect(states).toEqual(new Set(['Progressing', 'Healthy', 'Suspended', 'Degraded']));
  });

  test('is told by the script that docs/gitops.md shows', () => {
    const [block] = blocksOf(documentAt('docs/gitops.md')).filter(({ info }) => info === 'yaml');
    const { data }: Wire = parse(block?.text ?? '');
    expect(data['resource.customizations.health.microservice-platform.io_Microservice']).toBe(script);
  });
});

describe('what the operator really says', () => {
  let operator: OperatorProcess;
  let nodes: NodeJS.Timeout;
  /** Whether the pods of the test run. */
  let isUp = true;

  startApiServer({ controllerManager: true });
  beforeAll(async () => {
    operator = await OperatorProcess.start(plane.kubeconfig);
    nodes = setInterval(() => {
      if (isUp && orders) runPods(api, orders.namespace).catch(() => {});
    }, 100);
  });
  afterAll(async () => {
    clearInterval(nodes);
    await operator?.stop();
  });
  beforeEach(() => {
    isUp = true;
  });

  const path = () => `${paths.microservices(orders.namespace)}/${orders.name}`;
  const make = (spec: object = {}) => api.post(paths.microservices(orders.namespace), microservice(orders, spec));
  const health = async () => healthOf(await api.get(path()));
  /** A Service that is in the way of the Microservice's own. */
  const standInTheWay = () =>
    api.post(paths.services(orders.namespace), { metadata: { name: 'orders' }, spec: { ports: [{ port: 1 }] } });
  const call = (program: 'kubectl' | 'helm', ...args: readonly string[]) =>
    run(tool(program), [...args, '--kubeconfig', plane.kubeconfig, '--namespace', orders.namespace], {
      timeoutMs: 40_000,
      env: { ...process.env, HELM_CACHE_HOME: plane.folder, HELM_CONFIG_HOME: plane.folder },
    });

  describe('is understood by Argo CD', () => {
    test('from the first status to the last', async () => {
      isUp = false;
      await make({ replicas: 1 });
      await eventually(async () => expect(await health()).toMatchObject({ status: 'Progressing' }));
      isUp = true;
      await eventually(async () => expect(await health()).toMatchObject({ status: 'Healthy' }));
      await api.patch(path(), { spec: { suspend: true } });
      await eventually(async () => expect(await health()).toMatchObject({ status: 'Suspended' }), {
        withinMs: 20_000,
      });
    });

    test('when somebody has to act, with what to do', async () => {
      await standInTheWay();
      await make();
      await eventually(async () => {
        const { status, message } = await health();
        expect(status).toBe('Degraded');
        expect(message).toMatch(/belongs to somebody else.* - Service .* - delete it/);
      });
    });
  });

  describe('is understood by kubectl wait', () => {
    test('which ends when the pods are ready, and not before', async () => {
      isUp = false;
      await make();
      const wait = (seconds: number) =>
        call('kubectl', 'wait', '--for=condition=Ready', 'microservice/orders', `--timeout=${seconds}s`);
      await expect(wait(2)).rejects.toThrow(/timed out/);
      isUp = true;
      expect(await wait(20)).toContain('condition met');
    });

    test('which ends when waiting is of no use', async () => {
      await standInTheWay();
      await make();
      expect(await call('kubectl', 'wait', '--for=condition=Stalled', 'msvc/orders', '--timeout=10s')).toContain(
        'condition met',
      );
    });

    test('after a change too: it is not the old Ready that counts', async () => {
      await make();
      await call('kubectl', 'wait', '--for=condition=Ready', 'msvc/orders', '--timeout=20s');
      isUp = false;
      const { metadata } = await api.patch(path(), { spec: { image: 'example.test/orders:2.0.0' } });
      await call(
        'kubectl',
        'wait',
        `--for=jsonpath={.status.observedGeneration}=${metadata.generation}`,
        'msvc/orders',
        '--timeout=10s',
      );
      const { status } = await api.get(path());
      expect(status.conditions[0]).toMatchObject({ type: 'Ready', status: 'False', reason: 'Progressing' });
    });
  });

  describe('is understood by helm --wait', () => {
    /** A chart with one Microservice, `orders`. */
    function chartWith(spec: object = {}): string {
      const chart = join(plane.folder, `chart-of-${orders.namespace}`);
      const { metadata, ...object } = microservice(orders, spec);
      const files = {
        'Chart.yaml': { apiVersion: 'v2', name: 'shop', version: '1.0.0' },
        'templates/orders.yaml': { ...object, metadata: { name: metadata.name } },
      };
      for (const [name, content] of Object.entries(files)) {
        mkdirSync(dirname(join(chart, name)), { recursive: true });
        writeFileSync(join(chart, name), JSON.stringify(content));
      }
      return chart;
    }
    const release = (spec: object = {}) =>
      call('helm', 'upgrade', '--install', 'shop', chartWith(spec), '--wait', '--timeout=30s');
    const readyImage = async () => {
      const { status } = await api.get(path());
      return [status.conditions[0].status, status.image];
    };

    test('which ends when the pods run what is asked for, at the first release and at the next', async () => {
      await release();
      expect(await readyImage()).toEqual(['True', 'example.test/orders:1.0.0']);
      await release({ image: 'example.test/orders:2.0.0' });
      expect(await readyImage()).toEqual(['True', 'example.test/orders:2.0.0']);
    });

    test('which does not wait for what waiting does not help, and says what to do', async () => {
      await standInTheWay();
      const start = performance.now();
      await expect(release()).rejects.toThrow(
        /there is a Service of this name that belongs to somebody else.*delete it if it is not needed/s,
      );
      expect(performance.now() - start).toBeLessThan(10_000);
    });
  });
});
