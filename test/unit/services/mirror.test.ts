import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type Mirror, type MirrorChange, type MirrorSource, mirror } from '../../../services/common/src/etcd/mirror.ts';
import { eventually } from '../../support/eventually.ts';

interface Watch {
  readonly position: number;
  readonly tell: (changes: readonly MirrorChange<string>[]) => void;
  readonly end: () => void;
  readonly fail: (reason: string) => void;
}

/** A source that is played by hand: what it lists, and what its watches do. */
function playedSource(first: Readonly<Record<string, string>>) {
  const watches: Watch[] = [];
  const state = { entries: first, lists: 0, broken: undefined as string | undefined };
  const source: MirrorSource<string, number> = {
    list: async () => {
      const position = ++state.lists;
      if (state.broken !== undefined) throw new Error(state.broken);
      return { entries: new Map(Object.entries(state.entries)), position };
    },
    watch: (position, tell, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => resolve());
        watches.push({ position, tell, end: resolve, fail: (reason) => reject(new Error(reason)) });
      }),
  };
  return { source, state, watches, latest: () => watches.at(-1) };
}

const opened: Mirror<string>[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

function mirrored(source: MirrorSource<string, number>, maxEntries?: number) {
  const changes: (readonly string[])[] = [];
  const troubles: (string | undefined)[] = [];
  const copy = mirror(source, {
    onChange: (keys) => changes.push(keys),
    onTrouble: (reason) => troubles.push(reason),
    ...(maxEntries === undefined ? {} : { maxEntries }),
  });
  opened.push(copy);
  return { copy, changes, troubles, contents: () => Object.fromEntries(copy.entries()) };
}

describe('a mirror', () => {
  it('holds what is listed, then what the watch tells from there on', async () => {
    const { source, latest } = playedSource({ a: '1', b: '2' });
    const { copy, changes, contents } = mirrored(source);
    expect(contents()).toEqual({});
    await copy.ready;
    await eventually(() => expect(latest()?.position).toBe(1));
    expect([contents(), changes]).toEqual([{ a: '1', b: '2' }, []]);
    latest()?.tell([
      { type: 'put', key: 'a', value: '3' },
      { type: 'delete', key: 'b' },
      { type: 'put', key: 'c', value: '4' },
      { type: 'put', key: 'a', value: '5' },
    ]);
    expect([contents(), changes]).toEqual([{ a: '5', c: '4' }, [['a', 'b', 'c']]]);
  });

  it('tells nothing when a key is set to what it is, or taken away where it is not', async () => {
    const { source, latest } = playedSource({ a: '1' });
    const { copy, changes } = mirrored(source);
    await copy.ready;
    await eventually(() => expect(latest()).toBeDefined());
    latest()?.tell([
      { type: 'put', key: 'a', value: '1' },
      { type: 'delete', key: 'b' },
    ]);
    expect(changes).toEqual([]);
  });

  it('keeps its contents through an outage, says it once, and tells the difference afterwards', async () => {
    const { source, state, latest } = playedSource({ a: '1', b: '2' });
    const { copy, changes, troubles, contents } = mirrored(source);
    await copy.ready;
    await eventually(() => expect(latest()).toBeDefined());
    state.broken = 'it is away';
    state.entries = { a: '1', c: '3' };
    latest()?.fail('the connection broke');
    await eventually(() => expect(state.lists).toBe(3));
    expect([contents(), troubles, copy.trouble()]).toEqual([
      { a: '1', b: '2' },
      ['the connection broke'],
      'it is away',
    ]);
    state.broken = undefined;
    await eventually(() => expect(copy.trouble()).toBeUndefined());
    expect([contents(), changes]).toEqual([{ a: '1', c: '3' }, [['b', 'c']]]);
    expect(troubles).toEqual(['the connection broke', undefined]);
    await eventually(() => expect(latest()?.position).toBe(state.lists));
  });

  it('lists anew, with a pause but without a word of trouble, when a watch ends in order', async () => {
    const { source, state, watches, latest } = playedSource({ a: '1' });
    const { copy, changes, troubles } = mirrored(source);
    await copy.ready;
    await eventually(() => expect(latest()).toBeDefined());
    state.entries = { a: '2' };
    latest()?.end();
    await sleep(50); // the shortest pause is 100 ms
    expect(state.lists).toBe(1);
    await eventually(() => expect(watches).toHaveLength(2));
    expect([changes, troubles]).toEqual([[['a']], []]);
  });

  it('asks a source that fails again and again more and more seldom', async () => {
    const { source, state } = playedSource({});
    state.broken = 'it is away';
    const { troubles } = mirrored(source);
    const times: number[] = [];
    for (let lists = 2; lists <= 5; lists++) {
      await eventually(() => expect(state.lists).toBe(lists), { everyMs: 5 });
      times.push(performance.now());
    }
    const pauses = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    expect(pauses[0]).toBeLessThan(500);
    expect(pauses[2]).toBeGreaterThan(700);
    expect(troubles).toEqual(['it is away']);
  });

  it('refuses to grow without bounds, and keeps what it has', async () => {
    const { source, latest } = playedSource({ a: '1', b: '2' });
    const { copy, contents } = mirrored(source, 2);
    await copy.ready;
    await eventually(() => expect(latest()).toBeDefined());
    expect(() => latest()?.tell([{ type: 'put', key: 'c', value: '3' }])).toThrow('there are 3 entries, more than 2');
    expect(contents()).toEqual({ a: '1', b: '2' });
  });

  it('tells nothing more once it is closed, and asks nothing', async () => {
    const { source, state, latest } = playedSource({ a: '1' });
    const { copy, changes, troubles } = mirrored(source);
    await copy.ready;
    await eventually(() => expect(latest()).toBeDefined());
    await copy.close();
    latest()?.tell([{ type: 'put', key: 'a', value: '2' }]);
    await sleep(300);
    expect([changes, troubles, state.lists]).toEqual([[], [], 1]);
  });
});
