import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WorkQueue } from '../../../operator/src/controller/queue.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** The key that a worker gets now; undefined when it would have to wait. */
async function takeNow(queue: WorkQueue): Promise<string | undefined> {
  const nothing = Symbol('nothing');
  const taken = queue.take();
  const first = await Promise.race([taken, Promise.resolve(nothing).then(() => nothing)]);
  return typeof first === 'string' ? first : undefined;
}

describe('a work queue', () => {
  test('gives keys out in the order in which they came', async () => {
    const queue = new WorkQueue();
    for (const key of ['b', 'a', 'c']) queue.add(key);

    expect([await queue.take(), await queue.take(), await queue.take()]).toEqual(['b', 'a', 'c']);
  });

  test('holds a key once, however often it is added', async () => {
    const queue = new WorkQueue();
    for (let i = 0; i < 100; i += 1) queue.add('a');

    expect(queue.depth).toBe(1);
    expect(await takeNow(queue)).toBe('a');
    queue.done('a');
    expect(await takeNow(queue)).toBeUndefined();
  });

  test('gives a key that is added while in hand out again, but only once its worker is done', async () => {
    const queue = new WorkQueue();
    queue.add('a');
    await queue.take();
    queue.add('a');

    const second = vi.fn();
    void queue.take().then(second);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(second).not.toHaveBeenCalled();

    queue.done('a');
    await vi.advanceTimersByTimeAsync(0);
    expect(second).toHaveBeenCalledWith('a');
  });

  test('lets keys without news wait for those with news', async () => {
    const queue = new WorkQueue();
    for (const key of ['old-1', 'old-2']) queue.addBehind(key);
    for (const key of ['new-1', 'new-2']) queue.add(key);

    const taken = [await queue.take(), await queue.take(), await queue.take(), await queue.take()];
    expect(taken).toEqual(['new-1', 'new-2', 'old-1', 'old-2']);
  });

  test('gives a key without news out all the same while news never end', async () => {
    const queue = new WorkQueue();
    queue.addBehind('old');
    const taken: (string | undefined)[] = [];
    for (let index = 0; index < 20; index += 1) {
      queue.add(`new-${index}`);
      queue.add(`more-${index}`);
      taken.push(await queue.take());
    }
    expect(taken.indexOf('old')).toBe(8);
  });

  test('puts a key that waits without news among those with news once there are some', async () => {
    const queue = new WorkQueue();
    for (const key of ['old', 'other']) queue.addBehind(key);
    queue.add('other');
    queue.addBehind('other');

    expect(queue.depth).toBe(2);
    expect([await queue.take(), await queue.take()]).toEqual(['other', 'old']);
  });

  test('gives a key without news out again when it was in hand', async () => {
    const queue = new WorkQueue();
    queue.add('a');
    await queue.take();
    queue.addBehind('a');
    expect(await takeNow(queue)).toBeUndefined();
    queue.done('a');
    expect(queue.depth).toBe(0); // The worker above was waiting for it.
  });

  test('forgets everything but what is in hand while it is paused, and gives out nothing', async () => {
    const queue = new WorkQueue();
    for (const key of ['in hand', 'ready']) queue.add(key);
    queue.addBehind('behind');
    queue.addAfter('later', 1_000);
    await queue.take();
    queue.pause();
    queue.add('added');
    queue.addBehind('added behind');
    queue.addAfter('added later', 1_000);
    queue.done('in hand');

    const taken = vi.fn();
    void queue.take().then(taken);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(taken).not.toHaveBeenCalled();
    expect([queue.depth, queue.delayed]).toEqual([0, 0]);
  });

  test('goes on with the keys that it is given, never with one that is still in hand', async () => {
    const queue = new WorkQueue();
    queue.add('in hand');
    await queue.take();
    queue.pause();
    queue.resume(['in hand', 'a']);

    expect(await takeNow(queue)).toBe('a');
    const second = vi.fn();
    void queue.take().then(second);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(second).not.toHaveBeenCalled();
    queue.done('in hand');
    await vi.advanceTimersByTimeAsync(0);
    expect(second).toHaveBeenCalledWith('in hand');
  });

  test('hands a key to a worker that waits for one', async () => {
    const queue = new WorkQueue();
    const taken = queue.take();
    queue.add('a');

    expect(await taken).toBe('a');
  });

  test('gives a key that was put off when its time has come, not before', async () => {
    const queue = new WorkQueue();
    const taken = vi.fn();
    void queue.take().then(taken);
    queue.addAfter('a', 1_000);

    await vi.advanceTimersByTimeAsync(999);
    expect(taken).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(2);
    expect(taken).toHaveBeenCalledWith('a');
  });

  test('keeps the earlier of two times to which a key is put off', async () => {
    const queue = new WorkQueue();
    queue.addAfter('a', 1_000);
    queue.addAfter('a', 60_000);
    queue.addAfter('b', 60_000);
    queue.addAfter('b', 2_000);

    await vi.advanceTimersByTimeAsync(1_001);
    expect(queue.depth).toBe(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(queue.depth).toBe(2);
    expect(queue.delayed).toBe(0);
  });

  test('forgets that a key was put off once it is taken: whoever takes it decides anew', async () => {
    const queue = new WorkQueue();
    queue.addAfter('a', 1_000);
    queue.add('a');
    await queue.take();
    queue.done('a');

    await vi.advanceTimersByTimeAsync(60_000);
    expect(queue.depth).toBe(0);
  });

  test('waits for times further away than a timer of Node can be set to', async () => {
    const queue = new WorkQueue();
    const days = 24 * 3_600_000;
    queue.addAfter('a', 40 * days);

    await vi.advanceTimersByTimeAsync(39 * days);
    expect(queue.depth).toBe(0);
    await vi.advanceTimersByTimeAsync(days + 1);
    expect(queue.depth).toBe(1);
  });

  test('counts failures of a key in a row, each key for itself', () => {
    const queue = new WorkQueue();

    expect([queue.failed('a'), queue.failed('a'), queue.failed('b')]).toEqual([1, 2, 1]);
    queue.forget('a');
    expect([queue.failed('a'), queue.failed('b')]).toEqual([1, 2]);
  });

  test('lets every waiting worker go when it is closed, and gives out nothing any more', async () => {
    const queue = new WorkQueue();
    const waiting = [queue.take(), queue.take()];
    queue.addAfter('late', 1_000);
    queue.close();
    queue.add('a');
    await vi.advanceTimersByTimeAsync(2_000);

    expect(await Promise.all(waiting)).toEqual([undefined, undefined]);
    expect(await queue.take()).toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('tells how long each key waited for a worker', async () => {
    const waited: number[] = [];
    const queue = new WorkQueue({ added: () => {}, taken: (ms) => waited.push(ms) });
    queue.add('a');
    await vi.advanceTimersByTimeAsync(250);
    await queue.take();

    expect(waited).toEqual([250]);
  });
});

type Command =
  | { readonly kind: 'add'; readonly key: string }
  | { readonly kind: 'addAfter'; readonly key: string; readonly ms: number }
  | { readonly kind: 'finish'; readonly worker: number }
  | { readonly kind: 'wait'; readonly ms: number };

const key = fc.constantFrom('a', 'b', 'c', 'd');
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), key }),
  fc.record({ kind: fc.constant('addAfter' as const), key, ms: fc.integer({ min: 1, max: 50 }) }),
  fc.record({ kind: fc.constant('finish' as const), worker: fc.nat(5) }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 60 }) }),
);

test('whatever happens in whatever order: one worker a key, nothing lost, nothing invented', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(command, { maxLength: 60 }),
      fc.integer({ min: 1, max: 3 }),
      async (commands, workers) => {
        const queue = new WorkQueue();
        const inHand: string[] = [];
        /** Keys for which work was asked and not begun since. */
        const owed = new Set<string>();
        let asked = 0;
        let begun = 0;
        const take = () => {
          void queue.take().then((taken) => {
            if (taken === undefined) return;
            expect(inHand).not.toContain(taken);
            inHand.push(taken);
            owed.delete(taken);
            begun += 1;
          });
        };
        const finish = (index: number) => {
          const [done] = inHand.splice(index % inHand.length, 1);
          if (done === undefined) return;
          queue.done(done);
          take();
        };
        for (let i = 0; i < workers; i += 1) take();
        for (const each of commands) {
          if (each.kind === 'add' || each.kind === 'addAfter') {
            asked += 1;
            owed.add(each.key);
          }
          if (each.kind === 'add') queue.add(each.key);
          if (each.kind === 'addAfter') queue.addAfter(each.key, each.ms);
          if (each.kind === 'finish' && inHand.length > 0) finish(each.worker);
          await vi.advanceTimersByTimeAsync(each.kind === 'wait' ? each.ms : 0);
          expect(inHand.length).toBeLessThanOrEqual(workers);
        }
        for (let rounds = 0; rounds < 200 && (inHand.length > 0 || queue.depth + queue.delayed > 0); rounds += 1) {
          if (inHand.length > 0) finish(0);
          await vi.advanceTimersByTimeAsync(60);
        }
        expect([...owed]).toEqual([]);
        expect(begun).toBeLessThanOrEqual(asked);
        expect([queue.depth, queue.delayed]).toEqual([0, 0]);
        queue.close();
      },
    ),
    { numRuns: 200 },
  );
});
