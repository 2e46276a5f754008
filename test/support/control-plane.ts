import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  apiReady,
  apiServer,
  controllerManager,
  etcd,
  kubeconfigOf,
  type Layout,
  logOf,
  type Program,
  prepareControlPlane,
  startProgram,
} from '../../cluster/control-plane.ts';
import { waitFor } from '../../cluster/wait-for.ts';

/** An API server with its etcd on loopback, for tests: no node, no root, any number at once. */
export interface ControlPlane extends AsyncDisposable {
  readonly url: string;
  /** Path of an administrator's kubeconfig. */
  readonly kubeconfig: string;
  readonly folder: string;
  /** Kills the API server and starts it again on the same port; etcd keeps the data. */
  restartApiServer(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a control plane in a temporary folder.
 * @throws Error naming what did not get ready, with the end of its log
 */
export async function startControlPlane(options: { readonly controllerManager?: boolean } = {}): Promise<ControlPlane> {
  const folder = mkdtempSync(join(tmpdir(), 'control-plane-'));
  const [etcdPort, peer, api] = await freePorts(3);
  const layout: Layout = {
    folder,
    host: '127.0.0.1',
    ports: { etcd: etcdPort ?? 0, peer: peer ?? 0, api: api ?? 0 },
  };
  await prepareControlPlane(layout);
  const running = new Map<string, ChildProcess>();
  const start = (program: Program) => running.set(program.name, startProgram(endsWithParent(program), folder));
  const stop = async () => {
    await Promise.all([...running.values()].map(end));
    rmSync(folder, { recursive: true, force: true });
  };
  const ready = () => waitFor(`the API server (log: ${logOf(folder, 'kube-apiserver')})`, () => apiReady(layout));
  try {
    start(etcd(layout));
    start(apiServer(layout));
    await ready();
    if (options.controllerManager) {
      start(controllerManager(layout, ['--secure-port=0']));
    }
  } catch (error) {
    const log = readFileSync(logOf(folder, 'kube-apiserver'), 'utf8').split('\n').slice(-10).join('\n');
    await stop();
    throw new Error(`the control plane did not start:\n${log}`, { cause: error });
  }
  return {
    url: `https://127.0.0.1:${layout.ports.api}`,
    kubeconfig: kubeconfigOf(layout, 'admin'),
    folder,
    restartApiServer: async () => {
      const old = running.get('kube-apiserver');
      if (old) await end(old);
      start(apiServer(layout));
      await ready();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  return Promise.all(
    servers.map(async (server) => {
      const address = server.address();
      await new Promise((resolve) => server.close(resolve));
      return typeof address === 'object' && address !== null ? address.port : 0;
    }),
  );
}

/** The kernel ends the program when the test process dies, however that dies. */
function endsWithParent(program: Program): Program {
  return { ...program, command: 'setpriv', args: ['--pdeathsig=KILL', program.command, ...program.args] };
}
