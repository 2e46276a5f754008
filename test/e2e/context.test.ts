import { type ChildProcess, spawn } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { embeddedCluster } from '../../cluster/embedded/embedded.ts';
import { kubectl } from '../../cluster/kubectl.ts';
import { repository } from '../../cluster/paths.ts';
import { processesOf } from '../../cluster/processes.ts';
import { run } from '../../cluster/run.ts';
import { tool } from '../../cluster/toolchain.ts';
import { waitFor } from '../../cluster/wait-for.ts';
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
  await waitFor('the registry', async () => (await run(curl, options)) !== '');
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
      clusters: [
        ...config.clusters,
        { name: 'other', cluster: { server: `http://127.0.0.1:${port}` } },
        { name: 'dead', cluster: { server: 'http://127.0.0.1:9' } },
      ],
      contexts: [
        { ...context, name: 'mine' },
        { name: 'other', context: { cluster: 'other', user: context.context.user } },
        { name: 'dead', context: { cluster: 'dead', user: context.context.user } },
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
      /no such context; it has dead, mine, other|no images were pushed/,
    );
  });

  it('gets its images from make images, which writes down what the registry has, by digest', async () => {
    const pushed = await make(['images', `REGISTRY=${registry}`, 'PUSH=1', 'THIRD_PARTY=1'], inItsNetwork());
    const values = readFileSync(/^values of the chart: (.+)$/m.exec(pushed)?.[1] ?? '', 'utf8');
    expect(values).toMatch(/repository: localhost:5000\/shop\/operator\n\s+tag: \w+@sha256:[0-9a-f]{64}/);
  });

  it('is told of in a line when it does not answer, and no copy of its credentials stays', async () => {
    await expect(make(['up', 'CONTEXT=dead', `REGISTRY=${registry}`])).rejects.toThrow(
      /make up: the API server of the context dead does not answer/,
    );
    expect(globSync('**/kubeconfig', { cwd: join(folder, 'state') })).toEqual([]);
  });

  it('keeps a release that somebody else installed under our name, and what is in its namespace', async () => {
    const chart = join(folder, 'chart');
    mkdirSync(join(chart, 'templates'), { recursive: true });
    writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: theirs\nversion: 1.0.0\n');
    const kept = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'theirs' } };
    writeFileSync(join(chart, 'templates/kept.yaml'), JSON.stringify(kept));
    const helm = (...args: string[]) =>
      run(tool('helm'), [`--kubeconfig=${target.kubeconfig}`, '-n', 'microservice-platform', ...args]);
    await theirs.run(['create', 'namespace', 'microservice-platform']);
    await helm('install', 'microservice-platform', chart);

    for (const command of ['up', 'down']) {
      await expect(make([command, 'CONTEXT=mine', `REGISTRY=${registry}`])).rejects.toThrow(
        /was not installed by make up, and is left as it is: helm uninstall removes it/,
      );
    }
    expect(await theirs.get(['configmap', 'theirs', '-n', 'microservice-platform', '-o', 'name'])).toContain('theirs');
    await helm('uninstall', 'microservice-platform', '--wait');
    await theirs.run(['delete', 'namespace', 'microservice-platform']);
  });

  it('runs the platform and the shop from that registry, by digest, and is taken back to what it was', async () => {
    const before = await objects();
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
