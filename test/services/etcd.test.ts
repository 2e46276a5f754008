import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Etcd, type EtcdChange, etcd } from '../../services/common/src/etcd/etcd.ts';
import { EtcdCompacted } from '../../services/common/src/etcd/etcd-error.ts';
import { freePort } from '../support/daemon.ts';
import { type EtcdServer, startEtcd, startEtcdMembers } from '../support/etcd-server.ts';
import { eventually } from '../support/eventually.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

let server: EtcdServer;
let client: Etcd;
const never = new AbortController().signal;

beforeAll(async () => {
  server = await startEtcd();
  client = etcd({ endpoints: [server.url] });
});

afterAll(async () => {
  await client?.close();
  await server?.stop();
});

/** Watches until the test ends; `heard` grows. */
async function watching(prefix: string, options: { readonly by?: Etcd; readonly after?: number } = {}) {
  const { by = client, after = (await client.list(prefix)).revision } = options;
  const heard: EtcdChange[] = [];
  const stop = new AbortController();
  const ended = by.watch(prefix, after, (changes) => heard.push(...changes), stop.signal);
  ended.catch(() => undefined);
  return { heard, ended, stop: () => stop.abort() };
}

/** A change in short. */
function told(change: EtcdChange): string {
  return change.type === 'put' ? `${change.entry.key}=${change.entry.value}` : `-${change.key}`;
}

describe('the client of etcd', () => {
  it('gives back what was put, whatever characters it holds, and its revision', async () => {
    await client.put('/plain/grüße', 'voilà "€"\n');
    const entry = await client.get('/plain/grüße');
    expect(entry).toEqual({ key: '/plain/grüße', value: 'voilà "€"\n', revision: expect.any(Number) as number });
    await client.put('/plain/empty', '');
    expect(await client.get('/plain/empty')).toMatchObject({ value: '' });
    expect(await client.get('/plain/never-put')).toBeUndefined();
    await client.delete('/plain/empty');
    expect(await client.get('/plain/empty')).toBeUndefined();
  });

  it('lists exactly the keys that begin with the prefix', async () => {
    for (const key of ['/list/a', '/list/b', '/list', '/list0', '/lisu/']) await client.put(key, key);
    const { entries, revision } = await client.list('/list/');
    expect(entries.map(({ key }) => key)).toEqual(['/list/a', '/list/b']);
    expect(revision).toBeGreaterThan(Math.max(...entries.map((entry) => entry.revision)));
    expect((await client.list('')).entries.length).toBeGreaterThanOrEqual(5);
  });

  it('tells changes after a revision in their order, and none of other keys', async () => {
    await client.put('/order/known', 'before the list');
    const { revision } = await client.list('/order/');
    await client.put('/order/early', 'before the watch');
    const { heard, stop, ended } = await watching('/order/', { after: revision });
    const expected = ['/order/early=before the watch'];
    for (let i = 0; i < 20; i++) {
      await client.put(`/order/${i % 3}`, String(i));
      await client.put(`/orders/${i}`, 'other');
      expected.push(`/order/${i % 3}=${i}`);
    }
    await client.delete('/order/early');
    expected.push('-/order/early');
    await eventually(() => expect(heard.map(told)).toEqual(expected));
    stop();
    await ended;
  });

  it('tells what has piled up, in messages that it can take', async () => {
    const { revision } = await client.list('/large/');
    const value = 'x'.repeat(400_000);
    const names = Array.from({ length: 12 }, (_, at) => `/large/${at}`); // base64 makes it more than a line may hold
    for (const name of names) await client.put(name, value);
    const { heard, stop } = await watching('/large/', { after: revision });
    await eventually(() => expect(heard.map(told)).toEqual(names.map((name) => `${name}=${value}`)));
    stop();
  });

  it('says that the changes before a compaction are gone', async () => {
    const { revision } = await client.list('/old/');
    await client.put('/old/a', '1');
    await client.put('/old/a', '2');
    await server.compact(revision + 2);
    const { ended } = await watching('/old/', { after: revision });
    await expect(ended).rejects.toThrow(EtcdCompacted);
    await expect(ended).rejects.toThrow(`no changes before revision ${revision + 2} any more; asked for those after`);
  });

  it('replaces a watch whose connection died without a word, and leaves no change out', async () => {
    const proxy = await startTcpProxy({ host: '127.0.0.1', port: server.port });
    const endpoints = [`http://127.0.0.1:${proxy.port}`, server.url];
    const impatient = etcd({ endpoints, idleMs: 1_000, timeoutMs: 500 });
    const { heard, stop } = await watching('/dead/', { by: impatient });
    await client.put('/dead/a', '1');
    await eventually(() => expect(heard).toHaveLength(1));
    proxy.swallowAnswers();
    await client.put('/dead/b', '2');
    await client.delete('/dead/a');
    await eventually(() => expect(heard.map(told)).toEqual(['/dead/a=1', '/dead/b=2', '-/dead/a']));
    stop();
    await impatient.close();
    await proxy.stop();
  });

  it('ends a watch with the reason when its connection breaks', async () => {
    const proxy = await startTcpProxy({ host: '127.0.0.1', port: server.port });
    const broken = etcd({ endpoints: [`http://127.0.0.1:${proxy.port}`] });
    const { heard, ended } = await watching('/broken/', { by: broken });
    await client.put('/broken/a', '1');
    await eventually(() => expect(heard).toHaveLength(1));
    proxy.cut();
    await expect(ended).rejects.toThrow(/^the watch of etcd broke: /);
    await broken.close();
    await proxy.stop();
  });

  it('ends a watch with the reason when no endpoint can be watched any more', async () => {
    const proxy = await startTcpProxy({ host: '127.0.0.1', port: server.port });
    const lonely = etcd({ endpoints: [`http://127.0.0.1:${proxy.port}`], idleMs: 1_000, timeoutMs: 300 });
    const { ended } = await watching('/lonely/', { by: lonely });
    proxy.swallowAnswers();
    await expect(ended).rejects.toThrow(`etcd does not answer (/v3/watch): http://127.0.0.1:${proxy.port}: Headers`);
    await lonely.close();
    await proxy.stop();
  });

  it('asks the next endpoint when one is down or silent, and says of each why when none answers', async () => {
    const [down, silent] = [await freePort(), await startTcpProxy({ host: '127.0.0.1', port: server.port })];
    silent.swallowAnswers();
    const dead = [`http://127.0.0.1:${down}`, `http://127.0.0.1:${silent.port}`];
    const lucky = etcd({ endpoints: [...dead, server.url], timeoutMs: 200 });
    await lucky.put('/endpoints/a', '1');
    const start = performance.now();
    expect(await lucky.get('/endpoints/a')).toMatchObject({ value: '1' });
    expect(performance.now() - start).toBeLessThan(200); // who answered last is asked first
    const unlucky = etcd({ endpoints: dead, timeoutMs: 200 });
    await expect(unlucky.get('/endpoints/a')).rejects.toThrow(
      new RegExp(`^etcd does not answer \\(/v3/kv/range\\): ${dead[0]}: .*ECONNREFUSED.*; ${dead[1]}: .*timeout`),
    );
    await Promise.all([lucky.close(), unlucky.close(), silent.stop()]);
  });

  it('keeps an entry for as long as its lease, and says when that is gone', async () => {
    const leaseId = await client.grantLease(60);
    await client.put('/lease/a', 'here', { leaseId });
    expect(await client.keepLeaseAlive(leaseId)).toBe(60);
    await client.revokeLease(leaseId);
    expect(await client.get('/lease/a')).toBeUndefined();
    expect(await client.keepLeaseAlive(leaseId)).toBe(0);
    await client.revokeLease(leaseId); // once more is no error
    await expect(client.put('/lease/a', 'late', { leaseId })).rejects.toMatchObject({ grpcCode: 5 });
  });

  it('tells when an entry goes with a lease that nobody kept alive', async () => {
    const { heard, stop } = await watching('/expiry/');
    const leaseId = await client.grantLease(1);
    await client.put('/expiry/a', 'short', { leaseId });
    await eventually(() => expect(heard.map(told)).toEqual(['/expiry/a=short', '-/expiry/a']));
    stop();
  });

  it('ends the watch of a member that has lost the others, and does not take its word for anything', async () => {
    const [alive, other] = await startEtcdMembers(2);
    const lonely = etcd({ endpoints: [alive?.url ?? ''] });
    const { ended } = await watching('/quorum/', { by: lonely, after: 1 });
    await lonely.put('/quorum/a', '1');
    await other?.kill();
    await expect(ended).rejects.toThrow('etcdserver: no leader');
    await expect(lonely.get('/quorum/a')).rejects.toThrow('etcdserver: no leader');
    const both = etcd({ endpoints: [alive?.url ?? '', server.url] });
    const { heard, stop } = await watching('/quorum/', { by: both, after: (await client.list('/quorum/')).revision });
    await client.put('/quorum/b', '2');
    await eventually(() => expect(heard.map(told)).toEqual(['/quorum/b=2'])); // the next endpoint is watched
    stop();
    await Promise.all([lonely.close(), both.close(), alive?.stop(), other?.stop()]);
  });

  it('ends its watches in order when it is closed', async () => {
    const closing = etcd({ endpoints: [server.url] });
    const { revision } = await closing.list('/close/');
    const ended = closing.watch('/close/', revision, () => undefined, never);
    await closing.get('/close/a');
    await closing.close();
    await ended;
  });
});
