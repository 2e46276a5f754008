import { expect, test } from 'vitest';
import { growthIn } from '../../soak/growth.ts';

const samples = (megabytes: readonly number[]) => megabytes.map((each) => ({ megabytes: each, descriptors: 30 }));

test('growth is what is between the second quarter and the last, whatever the start was like', () => {
  const warmUp = [60, 90, 140, 120];
  const flat = growthIn(samples([...warmUp, ...Array(12).fill(120)]));
  expect(flat.megabytes).toEqual({ from: 120, to: 120 });
  expect(flat.descriptors).toEqual({ from: 30, to: 30 });

  const leak = growthIn(samples(Array.from({ length: 16 }, (_, at) => 100 + 10 * at)));
  expect(leak.megabytes.to - leak.megabytes.from).toBeGreaterThan(70);
});

test('a single high sample, before a collection, is no growth', () => {
  const { megabytes } = growthIn(samples([...Array(12).fill(120), 120, 300, 120, 120]));
  expect(megabytes).toEqual({ from: 120, to: 120 });
});
