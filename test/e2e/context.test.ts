import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { embeddedCluster } from '../../cluster/embedded/embedded.ts';
import { eventually } from '../../cluster/eventually.ts';
import { kubectl } from '../../cluster/kubectl.ts';
import { repository } from '../../cluster/paths.ts';
import { processesOf } from '../../cluster/processes.ts';
import { run } from '../../cluster/run.ts';
import { cluster } from '../support/cluster.ts';

/** Somebody's cluster: a node without the platform. That it was made here, nothing that is tested can tell. */
const target = embeddedCluster('target');
const theirs = kubectl(target.kubeconfig);
const registry = 'localhost:5000/shop';
const folder = mkdtempSync(join(tmpdir(), 'context-'));
const kubeconfig = join(folder, 'kubeconfig');

let registryProcess: ChildProcess;
let callsToTheOther = 0;
const other = createServer((socket) => {
  callsToTheOther += 1;
  socket.destroy();
});

/** The commands as a person types them, in a shell whose kubeconfig has two contexts. */
const make = (args: readonly string[], within: readonly string[] = []) => {
  const [command = '', ...rest] = [...within, 'make', '--no-print-directory', '-s', ...args];
  const env = { ...process.env, KUBECONFIG: kubeconfig, XDG_STATE_HOME: join(folder, 'state') };
  return run(command, rest, { cwd: repository, env, timeoutMs: 300_000 });
};

/** A command inside the network of the node, which is the only place from which its localhost can be reached. */
function inItsNetwork(): string[] {
  const [pid] = processesOf('/cluster/embedded/node.ts', target.name);
  return ['nsenter', `--net=/proc/${pid}/ns/net`];
}

async function startRegistry(): Promise<void> {
  const file = join(folder, 'registry.yaml');
  const storage = { filesystem: { rootdirectory: join(folder, 'registry') } };
  writeFileSync(file, JSON.stringify({ version: 0.1, storage, http: { addr: 'localhost:5000' } }));
  const [command, ...args] = [...inItsNetwork(), 'docker-registry', 'serve', file];
  registryProcess = spawn(command, args, { stdio: 'ignore' });
  const [curl, ...options] = [...inItsNetwork(), 'curl', '--silent', '--fail', 'http://localhost:5000/v2/'];
  await eventually('the registry', async () => (await run(curl, options)) !== '');
}

/** The user's kubeconfig: the other cluster is the current one. */
async function writeKubeconfig(): Promise<void> {
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const config = JSON.parse(readFileSync(target.kubeconfig, 'utf8'));
  const { port } = other.address() as { port: number };
  const [context] = config.contexts;
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      ...config,
      'current-context': 'other',
      clusters: [...config.clusters, { name: 'other', cluster: { server: `http://127.0.0.1:${port}` } }],
      contexts: [
        { ...context, name: 'mine' },
        { name: 'other', context: { cluster: 'other', user: context.context.user } },
      ],
    }),
  );
}

/** Everything that the target's API server has, by name; not what comes and goes by itself. */
async function objects(): Promise<string[]> {
  const kinds = (await theirs.run(['api-resources', '--verbs=list', '-o', 'name'])).trim().split('\n');
  const passing = /^(events|leases|endpointslices|endpoints|.*\.metrics\.k8s\.io|componentstatuses)/;
  const lasting = kinds.filter((kind) => !passing.test(kind)).join();
  return (await theirs.get([lasting, '-A', '-o', 'name'])).trim().split('\n').sort();
}

describe.skipIf(cluster.way !== 'embedded')('a cluster that is named by its context (needs an embedded node)', () => {
  beforeAll(async () => {
    await target.start((_, work) => work(() => {}));
    await startRegistry();
    await writeKubeconfig();
  });

  afterAll(async () => {
    registryProcess?.kill();
    other.close();
    await target.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is not used before its images are in a registry, and not at all when no such context is there', async () => {
    await expect(make(['up', 'CONTEXT=mine'])).rejects.toThrow(/needs REGISTRY=host\/path/);
    await expect(make(['up', 'CONTEXT=mine', 'REGISTRY=localhost:5000/empty'])).rejects.toThrow(
      /no images were pushed to localhost:5000\/empty from here: run make images/,
    );
    await expect(make(['up', 'CONTEXT=yours', `REGISTRY=${registry}`])).rejects.toThrow(
      /no such context; it has mine, other|no images were pushed/,
    );
  });

  it('runs the platform and the shop from that registry, by digest, and is taken back to what it was', async () => {
    const before = await objects();
    const pushed = await make(['images', `REGISTRY=${registry}`, 'PUSH=1', 'THIRD_PARTY=1'], inItsNetwork());
    const values = readFileSync(/^values of the chart: (.+)$/m.exec(pushed)?.[1] ?? '', 'utf8');
    expect(values).toMatch(/repository: localhost:5000\/shop\/operator\n\s+tag: \w+@sha256:[0-9a-f]{64}/);

    expect(await make(['up', 'CONTEXT=mine', `REGISTRY=${registry}`])).toMatch(/order .* was answered 201/);

    const images = '-o=jsonpath={range .items[*]}{.spec.containers[*].image}{"\\n"}{end}';
    for (const namespace of ['shop', 'microservice-platform']) {
      const running = (await theirs.get(['pods', '-n', namespace, images])).trim().split('\n');
      expect(running.filter((image) => !/^localhost:5000\/shop\/[a-z-]+:\w+@sha256:/.test(image))).toEqual([]);
      expect(running.length).toBeGreaterThan(1);
    }
    expect(await make(['urls', 'CONTEXT=mine'])).toMatch(/^api-gateway http:\/\/127\.0\.0\.1:\d+$/m);

    expect(await make(['down', 'CONTEXT=mine'])).toContain('gone from the cluster of the context mine');
    expect(await objects()).toEqual(before);
    expect(processesOf('kubectl', 'port-forward')).toEqual([]);
    expect(callsToTheOther).toBe(0);
  });
});
