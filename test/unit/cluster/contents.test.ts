import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { KubeObject, ObjectKey, ObjectRef } from '../../../operator/src/api/object.ts';
import { Contents } from '../../../operator/src/cluster/contents.ts';
import { idOf } from '../../../operator/src/cluster/store.ts';
import { type ContentRef, unread } from '../../../operator/src/desired/content.ts';

type Kind = ContentRef['kind'];

interface Content {
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

const namespace = 'shop';
const orders = { namespace, name: 'orders' };
const users = { namespace, name: 'users' };

const ref = (name: string, keys?: readonly string[], kind: Kind = 'ConfigMap'): ContentRef => ({
  kind,
  name,
  optional: false,
  ...(keys && { keys }),
});
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** Objects of an API server, and what the operator's memory of them and its requests are. */
class World {
  readonly #objects = new Map<string, KubeObject>();
  /** What the watch has told. */
  readonly #seen = new Map<string, KubeObject>();
  #version = 100;
  /** Ids of the objects that were asked for, in order. */
  readonly fetches: string[] = [];
  /** Microservices that were told, in order. */
  readonly told: string[] = [];
  readonly warnings: object[] = [];
  /** How often memory was asked for an object. */
  lookUps = 0;
  underWay = 0;
  mostUnderWay = 0;
  /** Decides what a fetch does before it answers. */
  gate: (ref: ObjectRef) => Promise<void> = async () => {};
  readonly contents: Contents;

  constructor(secretKey = Buffer.alloc(32, 1)) {
    this.contents = new Contents({
      fetch: (ref) => this.#fetch(ref),
      lookUp: (kind, key) => {
        this.lookUps += 1;
        return this.#seen.get(`${kind} ${idOf(key)}`)?.metadata;
      },
      secretKey: () => secretKey,
      onChange: (key) => this.told.push(idOf(key)),
      log: { debug: () => {}, warn: (keys: object) => this.warnings.push(keys), error: () => {} } as never,
    });
  }

  async #fetch(ref: ObjectRef): Promise<KubeObject | undefined> {
    const id = `${ref.kind} ${idOf(ref)}`;
    this.fetches.push(id);
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    try {
      const answer = this.#objects.get(id); // Read when the request arrives, told when the answer does.
      await this.gate(ref);
      return answer;
    } finally {
      this.underWay -= 1;
    }
  }

  /** Writes an object; the watch has not told of it yet. */
  write(
    name: string,
    content: Content,
    { kind = 'ConfigMap' as Kind, uid = `uid of ${name}`, version = '' } = {},
  ): void {
    this.#version += 1;
    const metadata = { namespace, name, uid, resourceVersion: version || `${this.#version}` };
    this.#objects.set(`${kind} ${namespace}/${name}`, { apiVersion: 'v1', kind, metadata, ...content } as KubeObject);
  }

  erase(name: string, kind: Kind = 'ConfigMap'): void {
    this.#objects.delete(`${kind} ${namespace}/${name}`);
  }

  /** The watch tells of an object as it is now. */
  tell(name: string, kind: Kind = 'ConfigMap'): void {
    const id = `${kind} ${namespace}/${name}`;
    const object = this.#objects.get(id);
    if (object === undefined) this.#seen.delete(id);
    else this.#seen.set(id, object);
    this.contents.changed(kind, { namespace, name });
  }

  /** Writes an object, and the watch tells of it. */
  put(name: string, content: Content, options: Parameters<World['write']>[2] = {}): void {
    this.write(name, content, options);
    this.tell(name, options.kind);
  }

  remove(name: string, kind: Kind = 'ConfigMap'): void {
    this.erase(name, kind);
    this.tell(name, kind);
  }

  /** What a Microservice uses, once it is known. */
  async know(key: ObjectKey, ...refs: ContentRef[]): Promise<readonly string[]> {
    this.contents.contents(key, refs);
    await settle();
    this.told.length = 0;
    const digests = this.contents.contents(key, refs);
    if (digests === undefined) throw new Error('the content is still unknown');
    return digests;
  }
}

/** Lets everything happen that waits for nothing but its turn. */
const settle = () => vi.advanceTimersByTimeAsync(0);

let world: World;
beforeEach(() => {
  vi.useFakeTimers();
  world = new World();
});
afterEach(() => {
  world.contents.stop();
  vi.useRealTimers();
});

describe('content in use', () => {
  test('is unknown at first, is told when it is known, and is read once', async () => {
    world.put('a', { data: { x: '1' } });

    expect(world.contents.contents(orders, [ref('a')])).toBeUndefined();
    await settle();
    expect(world.told).toEqual(['shop/orders']);
    expect(world.contents.contents(orders, [ref('a')])).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
    expect(world.contents.contents(users, [ref('a')])).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(world.fetches).toEqual(['ConfigMap shop/a']);
    expect(world.told).toEqual(['shop/orders']);
  });

  test('is told only when all of it is known', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    world.put('fast', {});
    world.put('slow', {});
    world.gate = ({ name }) => (name === 'slow' ? promise : Promise.resolve());
    world.contents.contents(orders, [ref('fast'), ref('slow')]);
    await settle();
    expect(world.told).toEqual([]);
    resolve();
    await settle();

    expect(world.told).toEqual(['shop/orders']);
  });

  test('is told once when it changes, to those who use it and to nobody else', async () => {
    for (const name of ['a', 'b']) world.put(name, { data: { x: '1' } });
    const [before] = await world.know(orders, ref('a'));
    await world.know(users, ref('b'));
    world.put('a', { data: { x: '2' } });
    await settle();

    expect(world.told).toEqual(['shop/orders']);
    expect(world.contents.contents(orders, [ref('a')])).not.toEqual([before]);
  });

  test('is the same when only labels or annotations of the object changed', async () => {
    world.put('a', { data: { x: '1' } });
    const digests = await world.know(orders, ref('a'));
    world.put('a', { data: { x: '1' } });
    await settle();

    expect(world.told).toEqual([]);
    expect(world.contents.contents(orders, [ref('a')])).toEqual(digests);
    expect(world.fetches).toHaveLength(2);
  });

  test('is told once, also when the object changes again before anybody asked', async () => {
    world.put('a', { data: { x: '1' } });
    await world.know(orders, ref('a'));
    for (const data of [{ x: '2' }, { x: '2' }]) {
      world.put('a', { data });
      await settle();
    }

    expect(world.fetches).toHaveLength(3);
    expect(world.told).toEqual(['shop/orders']);
  });

  test('is looked at only for those who use it, however many Microservices there are', async () => {
    world.put('a', { data: { x: '1' } });
    for (let index = 0; index < 1_000; index += 1)
      world.contents.contents({ namespace, name: `m-${index}` }, [ref('b')]);
    await world.know(orders, ref('a'));
    world.lookUps = 0;
    world.put('a', { data: { x: '2' } });
    await settle();

    expect(world.told).toEqual(['shop/orders']);
    expect(world.lookUps).toBeLessThan(10);
  });

  test('is the same when another key of the object changed', async () => {
    world.put('a', { data: { x: '1', y: '1' } });
    const digests = await world.know(orders, ref('a', ['x']));
    await world.know(users, ref('a'));
    world.put('a', { data: { x: '1', y: '2', z: '' } });
    await settle();

    expect(world.told).toEqual(['shop/users']);
    expect(world.contents.contents(orders, [ref('a', ['x'])])).toEqual(digests);
  });

  test('is the bytes, not where an object keeps them, nor the order of keys, nor the name of the object', async () => {
    world.put('a', { data: { x: 'ä', y: '2' } });
    world.put('b', { data: { y: '2' }, binaryData: { x: base64('ä') } });
    const [a, b] = await world.know(orders, ref('a'), ref('b'));

    expect(a).toBe(b);
  });

  test('is another when a key has another name, or what two keys hold is exchanged', async () => {
    world.put('a', { data: { x: '1', y: '2' } });
    world.put('b', { data: { x: '2', y: '1' } });
    world.put('c', { data: { x: '1', z: '2' } });
    const digests = await world.know(orders, ref('a'), ref('b'), ref('c'), ref('a', ['x']), ref('a', ['y']));

    expect(new Set(digests).size).toBe(5);
  });

  test('of an object that nobody refers to costs nothing', async () => {
    world.put('a', {});
    await world.know(orders, ref('a'));
    for (const data of [{ x: '1' }, { x: '2' }]) world.put('unrelated', { data });
    world.remove('unrelated');
    await settle();

    expect(world.fetches).toEqual(['ConfigMap shop/a']);
    expect(world.told).toEqual([]);
  });
});

describe('what is not there', () => {
  test('is absent, without a request', () => {
    expect(world.contents.contents(orders, [ref('a'), ref('b', ['x'])])).toEqual(['absent', 'absent']);
    expect(world.fetches).toEqual([]);
  });

  test('is told when it comes, when it goes, and when it comes again', async () => {
    await world.know(orders, ref('a'));
    world.put('a', { data: { x: '1' } }, { uid: 'first' });
    await settle();
    expect(world.told).toEqual(['shop/orders']);
    const [first] = await world.know(orders, ref('a'));
    world.remove('a');
    expect(world.told).toEqual(['shop/orders']);
    expect(await world.know(orders, ref('a'))).toEqual(['absent']);
    world.put('a', { data: { x: '1' } }, { uid: 'second' });
    await settle();

    expect(world.told).toEqual(['shop/orders']);
    expect(await world.know(orders, ref('a'))).toEqual([first]);
  });

  test('may be a key of an object that is there', async () => {
    world.put('a', { data: { x: '1' } });
    expect(await world.know(orders, ref('a', ['x', 'y']), ref('a', ['y']), ref('a', ['x']))).toEqual([
      'absent',
      'absent',
      expect.stringMatching(/^[0-9a-f]{32}$/),
    ]);
    world.put('a', { data: { x: '1', y: '2' } });
    await settle();

    expect(world.told).toEqual(['shop/orders']);
  });

  test('is absent when it is gone before it could be read, until the watch tells of another', async () => {
    world.put('a', { data: { x: '1' } });
    world.erase('a');
    expect(await world.know(orders, ref('a'))).toEqual(['absent']);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(world.fetches).toHaveLength(1);
    world.tell('a');
    world.put('a', { data: { x: '1' } });
    await settle();

    expect(world.told).toEqual(['shop/orders']);
    expect(await world.know(orders, ref('a'))).not.toEqual(['absent']);
  });
});

describe('an object', () => {
  test('that changes while it is read is read again after that, and never twice at once', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    world.gate = () => promise;
    world.put('a', { data: { x: '1' } });
    world.contents.contents(orders, [ref('a')]);
    world.contents.contents(users, [ref('a')]);
    world.put('a', { data: { x: '2' } });
    world.put('a', { data: { x: '3' } });
    await settle();
    expect(world.fetches).toHaveLength(1);
    resolve();
    await settle();

    expect(world.fetches).toHaveLength(2);
    expect(world.told).toEqual(['shop/orders', 'shop/users']);
    world.put('b', { data: { x: '3' } });
    const [a, b] = await world.know(orders, ref('a'), ref('b'));
    expect(a).toBe(b);
  });

  test('that was read in a newer version than the watch told of is not read again when the watch tells of that', async () => {
    world.put('a', { data: { x: '1' } });
    world.write('a', { data: { x: '2' } });
    const digests = await world.know(orders, ref('a'));
    world.tell('a');
    await settle();

    expect(world.fetches).toHaveLength(1);
    expect(world.told).toEqual([]);
    expect(world.contents.contents(orders, [ref('a')])).toEqual(digests);
  });

  test('is read again when its versions begin anew at an earlier number, as after a restore', async () => {
    world.put('a', { data: { x: '2' } }, { version: '200' });
    await world.know(orders, ref('a'));
    world.put('a', { data: { x: '1' } }, { version: '50' });
    await settle();

    expect(world.fetches).toHaveLength(2);
    expect(world.told).toEqual(['shop/orders']);
  });

  test('is not read again for an answer that is older than what the watch told, until a while has passed', async () => {
    world.put('a', { data: { x: '2' } }, { version: '200' });
    world.write('a', { data: { x: '1' } }, { version: '150' });
    world.contents.contents(orders, [ref('a')]);
    await settle();
    expect(world.fetches).toHaveLength(1);
    expect(world.contents.contents(orders, [ref('a')])).toEqual([unread]);
    world.told.length = 0;
    world.write('a', { data: { x: '2' } }, { version: '200' });
    await vi.advanceTimersByTimeAsync(500);

    expect(world.told).toEqual(['shop/orders']);
  });
});

describe('a read that fails', () => {
  const refused = () => {
    throw new Error('get ConfigMap shop/bad: denied');
  };

  test('is tried again less and less often, and is complained about once', async () => {
    world.gate = async () => refused();
    world.put('bad', {});
    world.contents.contents(orders, [ref('bad')]);
    await vi.advanceTimersByTimeAsync(600_000);

    expect(world.fetches.length).toBeGreaterThan(15);
    expect(world.fetches.length).toBeLessThan(50);
    expect(world.warnings).toHaveLength(1);
    expect(world.warnings[0]).toMatchObject({ content: 'ConfigMap shop/bad', reason: expect.stringMatching(/denied/) });
    expect(world.told).toEqual(['shop/orders']);
    world.gate = async () => {};
    await vi.advanceTimersByTimeAsync(30_000);
    expect(world.told).toEqual(['shop/orders', 'shop/orders']);
  });

  test('is told, once, so that nobody waits for it', async () => {
    world.gate = async () => refused();
    world.put('bad', {});
    expect(world.contents.contents(orders, [ref('bad')])).toBeUndefined();
    await settle();

    expect(world.told).toEqual(['shop/orders']);
    expect(world.contents.contents(orders, [ref('bad')])).toEqual([unread]);
  });

  test('keeps no other from being read', async () => {
    world.gate = async ({ name }) => (name.startsWith('bad') ? refused() : undefined);
    const bad = Array.from({ length: 40 }, (_, index) => ref(`bad-${index}`));
    for (const { name } of bad) world.put(name, {});
    world.put('good', {});
    world.contents.contents(users, bad);
    world.contents.contents(orders, [ref('good')]);
    await settle();

    expect(world.contents.contents(orders, [ref('good')])).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
  });

  test('is not tried again once nobody refers to the object, or all is stopped', async () => {
    world.gate = async () => refused();
    for (const name of ['bad', 'worse']) world.put(name, {});
    world.contents.contents(orders, [ref('bad')]);
    world.contents.contents(users, [ref('worse')]);
    await settle();
    world.contents.forget(orders);
    expect(vi.getTimerCount()).toBe(1);
    world.contents.stop();
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(600_000);

    expect(world.fetches).toHaveLength(2);
  });
});

test('no more than sixteen objects are read at once, and all are read', async () => {
  const refs = Array.from({ length: 100 }, (_, index) => ref(`c-${index}`));
  world.gate = () => new Promise((resolve) => setTimeout(resolve, 10));
  for (const { name } of refs) world.put(name, {});
  world.contents.contents(orders, refs);
  await vi.advanceTimersByTimeAsync(100);

  expect(world.mostUnderWay).toBe(16);
  expect(world.told).toEqual(['shop/orders']);
  expect(world.fetches).toHaveLength(100);
});

describe('references', () => {
  test('of a Microservice are those of the last call only', async () => {
    for (const name of ['a', 'b']) world.put(name, { data: { x: '1' } });
    await world.know(orders, ref('a'), ref('b'));
    await world.know(orders, ref('b'));
    world.put('a', { data: { x: '2' } });
    await settle();
    expect(world.told).toEqual([]);
    expect(world.contents.size).toBe(1);
    world.put('b', { data: { x: '2' } });
    await settle();

    expect(world.told).toEqual(['shop/orders']);
    expect(world.fetches.filter((id) => id === 'ConfigMap shop/a')).toHaveLength(1);
  });

  test('leave nothing behind when the list is empty or the Microservice is gone', async () => {
    world.put('a', {});
    await world.know(orders, ref('a'));
    await world.know(users, ref('a'));
    world.contents.contents(orders, []);
    expect(world.contents.size).toBe(1);
    world.contents.forget(users);
    world.put('a', { data: { x: '2' } });
    await settle();

    expect(world.contents.size).toBe(0);
    expect(world.told).toEqual([]);
    expect(world.fetches).toHaveLength(1);
  });

  test('that come and go while the object is read do not read it twice, and leave nothing behind', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    world.gate = () => promise;
    world.put('a', {});
    for (const refs of [[ref('a')], [], [ref('a')], []]) world.contents.contents(orders, refs);
    resolve();
    await settle();

    expect(world.fetches).toHaveLength(1);
    expect(world.contents.size).toBe(0);
    expect(world.told).toEqual([]);
  });
});

describe('the digest of a Secret', () => {
  const secret = (name: string, text: string) =>
    world.put(name, { data: { password: base64(text) } }, { kind: 'Secret' });
  const digest = async (name: string) => (await world.know(orders, ref(name, ['password'], 'Secret')))[0];

  test('is none that somebody without the key could make of a guess', async () => {
    secret('s', 'guess');
    world.put('c', { data: { password: 'guess' } });
    const [s, c] = await world.know(orders, ref('s', ['password'], 'Secret'), ref('c', ['password']));
    const plain = createHash('sha256').update('guess').digest('hex').slice(0, 32);
    const ofPairs = createHash('sha256')
      .update(JSON.stringify([['password', plain]]))
      .digest('hex');

    expect(c).toBe(ofPairs.slice(0, 32));
    expect(s).not.toBe(c);
  });

  test('is another with another key, in another place, and the same again for the same content', async () => {
    secret('s', 'one');
    secret('t', 'one');
    const first = await digest('s');
    expect(await digest('t')).not.toBe(first);
    secret('s', 'two');
    expect(await digest('s')).not.toBe(first);
    secret('s', 'one');
    expect(await digest('s')).toBe(first);
    world = new World(Buffer.alloc(32, 2));
    secret('s', 'one');
    expect(await digest('s')).not.toBe(first);
  });

  test('waits for a key that is not known yet', async () => {
    let known = false;
    const told: string[] = [];
    const metadata = { namespace, name: 's', uid: 'u', resourceVersion: '1' };
    const contents = new Contents({
      fetch: async () => ({ apiVersion: 'v1', kind: 'Secret', metadata, data: {} }),
      lookUp: () => metadata,
      secretKey: () => {
        if (!known) throw new Error('not known yet');
        return Buffer.alloc(32);
      },
      onChange: (key) => told.push(idOf(key)),
      log: { debug: () => {}, warn: () => {}, error: () => {} } as never,
    });
    contents.contents(orders, [ref('s', undefined, 'Secret')]);
    await settle();
    told.length = 0;
    known = true;
    await vi.advanceTimersByTimeAsync(500);

    expect(told).toEqual(['shop/orders']);
  });
});
