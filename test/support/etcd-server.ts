import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { etcd as etcdProgram } from '../../cluster/control-plane.ts';
import { freePort } from './daemon.ts';
import { type Restartable, restartable } from './restartable.ts';

/** A member of a real etcd on loopback, whose port and data outlive its process. */
export interface EtcdServer extends Restartable {
  readonly port: number;
  readonly url: string;
  /** Forgets the changes before `revision`. */
  readonly compact: (revision: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** An etcd of one member. */
export async function startEtcd(): Promise<EtcdServer> {
  const [server] = await startEtcdMembers(1);
  if (server === undefined) throw new Error('no etcd was started');
  return server;
}

/** Members of one etcd. They answer while more than half of them run. */
export async function startEtcdMembers(count: number): Promise<readonly EtcdServer[]> {
  const names = Array.from({ length: count }, (_, at) => `member-${at}`);
  const places = await Promise.all(
    names.map(async (name) => ({ name, port: await freePort(), peer: await freePort() })),
  );
  const initial = places.map(({ name, peer }) => `${name}=http://127.0.0.1:${peer}`).join(',');
  return await Promise.all(places.map((place) => startMember(place, initial)));
}

async function startMember(
  { name, port, peer }: { readonly name: string; readonly port: number; readonly peer: number },
  initial: string,
): Promise<EtcdServer> {
  const folder = mkdtempSync(join(tmpdir(), 'etcd-'));
  const url = `http://127.0.0.1:${port}`;
  const { command, args } = etcdProgram({ folder, host: '127.0.0.1', ports: { etcd: port, peer, api: 0 } });
  const all = [...args, `--name=${name}`, `--initial-cluster=${initial}`];
  const server = restartable(command, all, () => healthy(url));
  await server.start();
  return {
    port,
    url,
    ...server,
    compact: (revision) => post(`${url}/v3/kv/compaction`, { revision: String(revision), physical: true }),
    stop: async () => {
      await server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function healthy(url: string): Promise<void> {
  const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(1_000) });
  if (!answer.ok) throw new Error(`etcd answered ${answer.status}`);
}

async function post(url: string, message: object): Promise<void> {
  const answer = await fetch(url, {
    method: 'POST',
    body: JSON.stringify(message),
    signal: AbortSignal.timeout(5_000),
  });
  if (!answer.ok) throw new Error(await answer.text());
}
