import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removeCgroups } from '../../cluster/embedded/cgroups.ts';
import { images } from '../../cluster/image-list.ts';
import { buildImages } from '../../cluster/images.ts';
import { buildWithDocker, dockerAnswers, dockerHas } from '../../cluster/kind/docker.ts';
import { kindCluster, nodeImage } from '../../cluster/kind/kind.ts';
import { cacheFolder, repository } from '../../cluster/paths.ts';
import type { Step } from '../../cluster/progress.ts';
import { run } from '../../cluster/run.ts';
import { buildTools } from '../../cluster/toolchain.ts';
import { waitFor } from '../../cluster/wait-for.ts';
import { chooseWay } from '../../cluster/way.ts';
import { cluster } from '../support/cluster.ts';

const folder = mkdtempSync(join(tmpdir(), 'docker-'));
const cgroup = 'microservice-platform-docker';
const step: Step = (_, work) => work(() => {});
const before = process.env.DOCKER_HOST;

let engine: ChildProcess;

/** A Docker engine in namespaces of its own, with no way to a registry; it and all it made ends with its process. */
async function startEngine(): Promise<void> {
  const host = `unix://${join(folder, 'docker.sock')}`;
  const options = ['--iptables=false', '--bridge=none', `--cgroup-parent=/${cgroup}`, `--host=${host}`];
  const places = ['data-root', 'exec-root', 'pidfile'].map((place) => `--${place}=${join(folder, place)}`);
  const namespaces = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
  engine = spawn('unshare', [...namespaces, '/usr/sbin/dockerd', ...options, ...places], { stdio: 'ignore' });
  process.env.DOCKER_HOST = host;
  await waitFor('the Docker engine', dockerAnswers, { timeoutMs: 60_000 });
}

/** Gives the engine the image of Node that was built here, under the name of the one that a registry would give. */
async function bringNode(): Promise<void> {
  const { references } = await buildImages(step);
  const cache = join(cacheFolder(process.env), 'images');
  const storage = ['--storage-driver=overlay', `--root=${join(cache, 'storage')}`, `--runroot=${join(cache, 'run')}`];
  const archive = join(folder, 'node.tar');
  const target = `docker-archive:${archive}:docker.io/library/node:24-bookworm-slim`;
  const push = ['buildah', ...storage, 'push', '--quiet', references.get('docker.io/library/node') ?? '', target];
  await run('unshare', ['--mount', 'sh', '-c', 'mount -t tmpfs tmpfs /var/lib && exec "$@"', 'sh', ...push]);
  await run('docker', ['load', '--input', archive]);
}

// What is not tried: the node of kind, whose image no machine without a registry can have.
describe.skipIf(cluster.way !== 'embedded')('a Docker engine without a registry (needs root on Debian)', () => {
  beforeAll(startEngine);

  afterAll(async () => {
    engine.kill('SIGKILL');
    await waitFor('the end of its cgroups', async () => removeCgroups(cgroup).length === 0);
    if (before === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = before;
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  it('is found, and given up for an embedded cluster because the image of the node cannot be had', async () => {
    const nodeImageIsHad = () => dockerHas(nodeImage(), step);
    expect(await chooseWay({ existing: [], dockerAnswers, nodeImageIsHad })).toEqual({
      way: 'embedded',
      because: 'Docker answers, but the image of a kind node cannot be had',
    });
  });

  it('is refused in a line when kind is insisted on', async () => {
    const env = { ...process.env, WAY: 'kind' };
    await expect(run('make', ['up', 'NAME=kindless'], { cwd: repository, env })).rejects.toThrow(
      /make up: WAY=kind: the image of its node can neither be found nor pulled/,
    );
  });

  it('has no cluster of ours, and kind says so', async () => {
    await buildTools(step, 'kind');
    const absent = kindCluster('absent');
    expect(absent.isRunning()).toBe(false);
    await absent.stop();
  });

  it('builds the images of operator and services from the same Dockerfiles, and they start', async () => {
    await bringNode();
    const wanted = images.filter(({ name }) => ['operator', 'services', 'api-gateway'].includes(name));
    const built = [...(await buildWithDocker(step, wanted)).values()];
    expect(built).toHaveLength(2);
    for (const image of built) {
      const started = run('docker', ['run', '--rm', '--network=none', image]);
      // Without an environment each names what it lacks.
      await expect(started).rejects.toThrow(/[A-Z_]{4,} (must|is) /);
    }
  });
});
