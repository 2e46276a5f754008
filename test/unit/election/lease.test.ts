import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../operator/src/api/object.ts';
import {
  newLease,
  recordOf,
  releasing,
  renewing,
  type Sighting,
  seen,
  taking,
  usualTiming,
  waitMs,
} from '../../../operator/src/election/lease.ts';
import { microTime } from '../../../operator/src/support/micro-time.ts';

const key = { namespace: 'platform', name: 'operator' };
const now = new Date('2026-01-02T03:04:05.678Z');

/** A Lease as it is stored: in a version, and held by somebody. */
function lease(resourceVersion: string, holderIdentity: string, spec: object = {}): KubeObject {
  const { apiVersion, kind } = newLease(key, '', now, usualTiming);
  return {
    apiVersion,
    kind,
    metadata: { ...key, resourceVersion },
    spec: { holderIdentity, leaseDurationSeconds: 15, leaseTransitions: 3, ...spec },
  };
}

/** What is known after these looks, each with its time. */
const afterLooks = (...looks: readonly (readonly [KubeObject | undefined, number])[]): Sighting => {
  const [first, ...rest] = looks;
  const start = seen(undefined, first?.[0], first?.[1] ?? 0, usualTiming);
  return rest.reduce((before, [found, at]) => seen(before, found, at, usualTiming), start);
};

describe('a lease', () => {
  test('may be taken at once when there is none, or nobody holds it', () => {
    expect(waitMs(afterLooks([undefined, 100]), 'a', 100)).toBe(0);
    expect(waitMs(afterLooks([lease('1', ''), 100]), 'a', 100)).toBe(0);
  });

  test('of somebody else may be taken when it was the same for its whole duration', () => {
    const known = afterLooks([lease('1', 'b'), 1_000], [lease('1', 'b'), 9_000]);
    expect(waitMs(known, 'a', 9_000)).toBe(7_000);
    expect(waitMs(known, 'a', 16_000)).toBe(0);
  });

  test('is judged by what this process saw, never by a clock of others', () => {
    const ancient = { renewTime: '1999-01-01T00:00:00.000000Z' };
    expect(waitMs(afterLooks([lease('1', 'b', ancient), 1_000]), 'a', 2_000)).toBe(14_000);
    const future = { renewTime: '2099-01-01T00:00:00.000000Z' };
    expect(waitMs(afterLooks([lease('1', 'b', future), 1_000]), 'a', 16_000)).toBe(0);
  });

  test('of somebody else lasts longer with every renewal', () => {
    expect(waitMs(afterLooks([lease('1', 'b'), 1_000], [lease('2', 'b'), 3_000]), 'a', 16_000)).toBe(2_000);
  });

  test('lasts as long as it says itself', () => {
    expect(waitMs(afterLooks([lease('1', 'b', { leaseDurationSeconds: 60 }), 0]), 'a', 15_000)).toBe(45_000);
    expect(waitMs(afterLooks([lease('1', 'b', { leaseDurationSeconds: null }), 0]), 'a', 10_000)).toBe(5_000);
  });

  test('that was its own before a restart may be taken at once', () => {
    expect(waitMs(afterLooks([lease('1', 'a'), 100]), 'a', 100)).toBe(0);
  });

  test('into which somebody wrote its name over that of another has to run out first', () => {
    const known = afterLooks([lease('1', 'b'), 0], [lease('2', 'a'), 1_000]);
    expect(waitMs(known, 'a', 1_000)).toBe(15_000);
    expect(
      waitMs(afterLooks([lease('1', 'b'), 0], [lease('2', 'a'), 1_000], [lease('3', 'a'), 2_000]), 'a', 2_000),
    ).toBe(15_000);
  });

  test('that was given back to nobody, and then to itself, may be taken at once', () => {
    expect(waitMs(afterLooks([lease('1', ''), 0], [lease('2', 'a'), 1_000]), 'a', 1_000)).toBe(0);
  });

  test('that was deleted may still be held by whom it named last', () => {
    const known = afterLooks([lease('1', 'b'), 0], [undefined, 4_000]);
    expect(waitMs(known, 'a', 4_000)).toBe(15_000);
    expect(waitMs(known, 'b', 4_000)).toBe(0);
  });

  test('is taken in the version that was seen, counts a change of hands, and says for how long', () => {
    expect(taking(lease('7', 'b'), 'a', now, usualTiming)).toEqual({
      metadata: { resourceVersion: '7' },
      spec: {
        holderIdentity: 'a',
        leaseDurationSeconds: 15,
        leaseTransitions: 4,
        acquireTime: '2026-01-02T03:04:05.678000Z',
        renewTime: '2026-01-02T03:04:05.678000Z',
      },
    });
    expect(taking(lease('7', 'a'), 'a', now, usualTiming)).toMatchObject({ spec: { leaseTransitions: 3 } });
  });

  test('is renewed and given back in the version that was seen', () => {
    expect(renewing(lease('7', 'a'), now)).toEqual({
      metadata: { resourceVersion: '7' },
      spec: { renewTime: microTime(now) },
    });
    expect(releasing(lease('7', 'a'), now)).toMatchObject({
      metadata: { resourceVersion: '7' },
      spec: { holderIdentity: '' },
    });
  });

  test('of which nothing is said is nobody’s', () => {
    expect(recordOf({ ...lease('1', 'b'), spec: undefined }, usualTiming)).toEqual({
      holder: '',
      durationMs: 15_000,
      transitions: 0,
    });
  });
});
