import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backlog } from '../../../operator/src/log-collector/backlog.ts';
import type { Entry } from '../../../operator/src/log-collector/entry.ts';
import type { Stream } from '../../../operator/src/log-collector/stream.ts';

const stream = (pod: string): Stream => ({ namespace: 'shop', service: 'orders', pod });
const entry = (time: number, line = 'x'): Entry => ({ time: BigInt(time), line, metadata: {}, isCut: false });
const never = new AbortController().signal;
const small = { bytes: 10_000, streamBytes: 4_000, batchBytes: 2_000 };
const tick = () => new Promise((resolve) => setImmediate(resolve));

describe('the lines that wait for Loki', () => {
  it('leave in the order of their stream, each once, however they come and go', async () => {
    const pods = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(5)), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(pods, async (puts) => {
        const backlog = new Backlog({ bytes: 1e9, streamBytes: 1e9, batchBytes: 1_000 });
        const sent = new Map<string, bigint[]>();
        let time = 0;
        for (const [pod, lines] of puts) {
          await backlog.put(
            stream(pod),
            Array.from({ length: lines }, () => entry(++time)),
            never,
          );
          const batch = time % 2 === 0 ? backlog.take() : undefined;
          if (batch === undefined) continue;
          sent.set(batch.stream.pod, [
            ...(sent.get(batch.stream.pod) ?? []),
            ...batch.entries.map((each) => each.time),
          ]);
          backlog.settle(batch);
        }
        for (let batch = backlog.take(); batch !== undefined; batch = backlog.take()) {
          sent.set(batch.stream.pod, [
            ...(sent.get(batch.stream.pod) ?? []),
            ...batch.entries.map((each) => each.time),
          ]);
          backlog.settle(batch);
        }
        const all = [...sent.values()];
        for (const times of all) expect(times).toEqual([...times].sort((one, other) => Number(one - other)));
        expect(all.flat()).toHaveLength(time);
        expect(backlog.bytes).toBe(0);
      }),
    );
  });

  it('make whoever brings more wait until there is room, and lose nothing of it', async () => {
    const backlog = new Backlog(small);
    let brought = 0;
    const bringing = (async () => {
      for (let time = 0; time < 100; time += 1) {
        await backlog.put(stream('a'), [entry(time)], never);
        brought += 1;
      }
    })();
    await tick();
    expect(brought).toBeLessThan(20);
    expect(backlog.bytes).toBeLessThan(small.streamBytes + 400);

    const times: bigint[] = [];
    while (times.length < 100) {
      const batch = backlog.take();
      if (batch === undefined) await tick();
      else {
        times.push(...batch.entries.map((each) => each.time));
        backlog.settle(batch);
      }
    }
    await bringing;
    expect(times).toEqual(Array.from({ length: 100 }, (_, time) => BigInt(time)));
  });

  it('of one loud stream leave room for the others', async () => {
    const backlog = new Backlog(small);
    const stop = new AbortController();
    const loud = Array.from({ length: 50 }, (_, time) => backlog.put(stream('loud'), [entry(time)], stop.signal));
    await backlog.put(stream('quiet'), [entry(1, 'hello')], never);

    backlog.take();
    expect(backlog.take()?.entries).toMatchObject([{ line: 'hello' }]);
    stop.abort();
    await Promise.all(loud);
  });

  it('of a stream leave one batch at a time', async () => {
    const backlog = new Backlog(small);
    await backlog.put(stream('a'), [entry(1), entry(2)], never);
    const first = backlog.take();
    await backlog.put(stream('a'), [entry(3)], never);

    expect(backlog.take()).toBeUndefined();
    if (first !== undefined) backlog.settle(first);
    expect(backlog.take()?.entries).toMatchObject([{ time: 3n }]);
  });

  it('leave one by one where each is longer than a batch', async () => {
    const backlog = new Backlog(small);
    await backlog.put(stream('a'), [entry(1, 'x'.repeat(3_000)), entry(2)], never);
    expect(backlog.take()?.entries).toMatchObject([{ time: 1n }]);
  });

  it('say how old the oldest of them is', async () => {
    const backlog = new Backlog(small);
    expect(backlog.oldest).toBeUndefined();
    await backlog.put(stream('a'), [entry(7)], never);
    await backlog.put(stream('b'), [entry(3)], never);
    expect(backlog.oldest).toBe(3n);
  });
});
