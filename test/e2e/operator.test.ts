import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../cluster/wait-for.ts';
import { type Condition, cli, conditionOf, list, type MicroserviceObject, read } from '../support/cluster.ts';

const namespace = 'e2e-operator';
const hello = readFileSync(new URL('../../manifests/hello.yaml', import.meta.url), 'utf8');
/** What is promised for a child that somebody changed or deleted. */
const repairMs = 2000;

const ready = (name: string) =>
  waitFor(`${name} to be Ready`, async () => {
    const found = await read<MicroserviceObject>('microservice', namespace, name);
    return conditionOf(found, 'Ready')?.status === 'True' && found;
  });

beforeAll(async () => {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await cli.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } }));
});
afterAll(() => cli.run(['delete', 'namespace', namespace, '--wait=false']));

async function microservice(name: string, change: (spec: Record<string, unknown>) => void = () => {}) {
  const { parse } = await import('yaml');
  const object = parse(hello) as { metadata: Record<string, string>; spec: Record<string, unknown> };
  object.metadata = { name, namespace };
  change(object.spec);
  return JSON.stringify(object);
}

const milliseconds = async (work: () => Promise<unknown>) => {
  const started = performance.now();
  await work();
  return performance.now() - started;
};

describe('a Microservice on a node', () => {
  it('runs as manifests/hello.yaml says it, and answers through its Service', async () => {
    await cli.run(['apply', '-n', namespace, '-f', new URL('../../manifests/hello.yaml', import.meta.url).pathname]);
    await ready('hello');
    const answer = await cli.get(['--raw', `/api/v1/namespaces/${namespace}/services/hello:80/proxy/`]);
    expect(answer).toBe('hello\n');
  });

  it('runs restricted: no root, no capability, a root filesystem that cannot be written, no token', async () => {
    const [pod] = await list<{ metadata: { name: string } }>(
      'pods',
      namespace,
      '-l',
      'microservice-platform.io/microservice=hello',
    );
    const script = `
      const fs = require('node:fs');
      const tried = (work) => { try { work(); return 'done'; } catch (error) { return error.code; } };
      const status = fs.readFileSync('/proc/self/status', 'utf8');
      console.log(JSON.stringify({
        uid: process.getuid(),
        capabilities: /CapEff:\\s+(\\S+)/.exec(status)[1],
        noNewPrivileges: /NoNewPrivs:\\s+(\\S+)/.exec(status)[1],
        seccomp: /Seccomp:\\s+(\\S+)/.exec(status)[1],
        root: tried(() => fs.writeFileSync('/written', '')),
        tmp: tried(() => fs.writeFileSync('/tmp/written', '')),
        token: tried(() => fs.readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/token')),
      }));`;
    const seen = await cli.run(['exec', '-n', namespace, pod?.metadata.name ?? '', '--', 'node', '--eval', script]);
    expect(JSON.parse(seen)).toEqual({
      uid: 65532,
      capabilities: '0000000000000000',
      noNewPrivileges: '1',
      seccomp: '2',
      root: 'EROFS',
      tmp: 'done',
      token: 'ENOENT',
    });
  });

  it('gets its Deployment, Service and HorizontalPodAutoscaler back in 2 s when they are deleted or edited', async () => {
    await cli.apply(
      await microservice('repaired', (spec) => {
        spec.resources = { requests: { cpu: '10m' } };
        spec.autoscaling = { minReplicas: 1, maxReplicas: 2, cpu: 80 };
      }),
    );
    await ready('repaired');
    const repairs: [string, string, (object: Child) => boolean][] = [
      [
        'deployment',
        '{"spec":{"template":{"spec":{"containers":[{"name":"repaired","image":"wrong:1"}]}}}}',
        (it) => !JSON.stringify(it.spec).includes('wrong:1'),
      ],
      [
        'service',
        '{"spec":{"ports":[{"name":"http","port":80,"targetPort":1234}]}}',
        (it) => !JSON.stringify(it.spec).includes('1234'),
      ],
      ['horizontalpodautoscaler', '{"spec":{"maxReplicas":9}}', (it) => it.spec.maxReplicas === 2],
    ];
    for (const [kind, patch, asAsked] of repairs) {
      const before = await read<Child>(kind, namespace, 'repaired');
      await cli.run(['patch', kind, 'repaired', '-n', namespace, '--type=strategic', '-p', patch]);
      const edited = await milliseconds(() =>
        waitFor(`the ${kind} as asked`, async () => asAsked(await read<Child>(kind, namespace, 'repaired')), {
          everyMs: 20,
        }),
      );
      await cli.run(['delete', kind, 'repaired', '-n', namespace, '--wait=false', '--cascade=orphan']);
      const deleted = await milliseconds(() =>
        waitFor(
          `another ${kind}`,
          async () => (await read<Child>(kind, namespace, 'repaired')).metadata.uid !== before.metadata.uid,
          { everyMs: 20 },
        ),
      );
      console.log(`${kind}: edited, back after ${edited.toFixed(0)} ms; deleted, back after ${deleted.toFixed(0)} ms`);
      expect(edited).toBeLessThan(repairMs);
      expect(deleted).toBeLessThan(repairMs);
    }
  });

  it('takes its children along when it is deleted, and no others', async () => {
    await cli.run(['delete', 'microservice', 'repaired', '-n', namespace]);
    for (const kind of ['deployment', 'service', 'horizontalpodautoscaler', 'pod']) {
      await waitFor(`no ${kind} of the deleted Microservice`, async () => {
        return (await list(kind, namespace, '-l', 'microservice-platform.io/microservice=repaired')).length === 0;
      });
    }
    await ready('hello');
    expect(await list('deployment', namespace, '-l', 'microservice-platform.io/microservice=hello')).toHaveLength(1);
  });

  it('is refused with what to do when its spec is wrong', async () => {
    const refused = async (change: (spec: Record<string, unknown>) => void) =>
      cli.run(['apply', '--dry-run=server', '-f', '-'], 30_000, await microservice('wrong', change)).then(
        () => 'accepted',
        (error: Error) => error.message,
      );
    expect(
      await refused((spec) => {
        spec.resources = { requests: { cpu: '10m' } };
        spec.autoscaling = { minReplicas: 5, maxReplicas: 2, cpu: 80 };
      }),
    ).toMatch(/minReplicas.*maxReplicas/s);
    expect(
      await refused((spec) => {
        spec.ports = [{ name: 'http', containerPort: 70_000 }];
      }),
    ).toMatch(/containerPort.*65535/s);
    expect(
      await refused((spec) => {
        spec.imagee = 'typo:1';
      }),
    ).toMatch(/unknown field "spec.imagee"/);
  });

  it('says which pod cannot get its image, why, and what to do, while others do not notice', async () => {
    const before = await others();
    await cli.apply(
      await microservice('bad-image', (spec) => {
        spec.image = 'registry.invalid/no/such:image';
      }),
    );
    const condition = await waitFor(
      'the cause in the condition Ready',
      async () => {
        const found = conditionOf(await read<MicroserviceObject>('microservice', namespace, 'bad-image'), 'Ready');
        return found?.status === 'False' && /pull/i.test(found.message) && (found as Condition);
      },
      { timeoutMs: 90_000 },
    );
    console.log(`Ready=False ${condition.reason}: ${condition.message}`);
    expect(condition.message).toContain('registry.invalid/no/such:image');
    expect(condition.message).toMatch(/bad-image-[a-z0-9]+-[a-z0-9]+/);
    const after = await others();
    expect(after.map((each) => conditionOf(each, 'Ready')?.status)).toEqual(before.map(() => 'True'));
    expect(after.map((each) => each.metadata.resourceVersion)).toEqual(
      before.map((each) => each.metadata.resourceVersion),
    );
  });
});

/** The Microservices of the shop, but for the one whose autoscaler may change its number of pods at any time. */
async function others(): Promise<MicroserviceObject[]> {
  const all = await list<MicroserviceObject>('microservices', 'shop');
  return all.filter(({ metadata }) => metadata.name !== 'product-service');
}

interface Child {
  readonly metadata: { readonly uid: string };
  readonly spec: Readonly<Record<string, unknown>>;
}
