import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Balancing, balancings, choose } from '../../../services/common/src/discovery/balancer.ts';

interface Instance {
  readonly id: number;
  underWay: number;
  lastTurn: number;
}

/** What may happen around a client: instances come and go, requests begin, and end after any time. */
type Event =
  | { readonly kind: 'join' }
  | { readonly kind: 'leave'; readonly which: number }
  | { readonly kind: 'begin' }
  | { readonly kind: 'end'; readonly which: number };

const which = fc.nat({ max: 9 });
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ kind: 'join' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), which }) },
  { weight: 6, arbitrary: fc.constant({ kind: 'begin' as const }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('end' as const), which }) },
);
const events = fc.array(event, { maxLength: 200, size: 'max' });

interface Choice {
  readonly among: readonly Instance[];
  readonly chosen: Instance | undefined;
}

/** Plays the events, as a client does, and gives every choice with what it was made from, as it was then. */
function choices(happens: readonly Event[], balancing: Balancing): readonly Choice[] {
  const there: Instance[] = [];
  const running: Instance[] = [];
  const made: Choice[] = [];
  let joined = 0;
  let turn = 0;
  for (const it of happens) {
    if (it.kind === 'join') there.push({ id: joined++, underWay: 0, lastTurn: 0 });
    if (it.kind === 'leave') there.splice(it.which, 1);
    if (it.kind === 'end') for (const ended of running.splice(it.which, 1)) ended.underWay -= 1;
    if (it.kind !== 'begin') continue;
    const chosen = choose(there, balancing);
    made.push({ among: structuredClone(there), chosen: chosen && { ...chosen } });
    if (chosen === undefined) continue;
    running.push(chosen);
    chosen.underWay += 1;
    chosen.lastTurn = ++turn;
  }
  return made;
}

const ids = (instances: readonly Instance[]) => instances.map(({ id }) => id);

describe.each(balancings)('the balancer, by %s', (balancing) => {
  it('chooses one of those that are there, and nobody only when nobody is', () => {
    fc.assert(
      fc.property(events, (happens) => {
        for (const { among, chosen } of choices(happens, balancing)) {
          if (chosen === undefined) expect(among).toEqual([]);
          else expect(ids(among)).toContain(chosen.id);
        }
      }),
    );
  });

  it('gives idle instances turns that differ by one at most, whatever the number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.nat({ max: 100 }), (instances, requests) => {
        const joins = Array.from({ length: instances }, (): Event => ({ kind: 'join' }));
        const asks = Array.from({ length: requests }, (): Event[] => [{ kind: 'begin' }, { kind: 'end', which: 0 }]);
        const chosen = choices([...joins, ...asks.flat()], balancing).map((choice) => choice.chosen?.id);
        const turns = Array.from({ length: instances }, (_, id) => chosen.filter((it) => it === id).length);
        expect(Math.max(...turns) - Math.min(...turns)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('the balancer, by round-robin', () => {
  it('lets nobody that is there have two turns before another that is there all the while, whoever comes and goes', () => {
    fc.assert(
      fc.property(events, (happens) => {
        const made = choices(happens, 'round-robin');
        for (const [at, { chosen }] of made.entries()) {
          const before = made.findLastIndex((it, i) => i < at && it.chosen?.id === chosen?.id);
          if (chosen === undefined || before === -1) continue;
          const between = made.slice(before + 1, at);
          const staying = ids(made[before]?.among ?? []).filter((id) =>
            [...between, made[at]].every((it) => it !== undefined && ids(it.among).includes(id)),
          );
          const turns = between.map((it) => it.chosen?.id);
          for (const id of staying.filter((it) => it !== chosen.id)) {
            expect(turns.filter((it) => it === id)).toHaveLength(1);
          }
        }
      }),
    );
  });
});

describe('the balancer, by least-requests', () => {
  it('never chooses one that is busier than another', () => {
    fc.assert(
      fc.property(events, (happens) => {
        for (const { among, chosen } of choices(happens, 'least-requests')) {
          for (const { underWay } of among) expect(chosen?.underWay).toBeLessThanOrEqual(underWay);
        }
      }),
    );
  });

  it('chooses, among those that are equally busy, the one that has waited longest', () => {
    fc.assert(
      fc.property(events, (happens) => {
        for (const { among, chosen } of choices(happens, 'least-requests')) {
          const equals = among.filter(({ underWay }) => underWay === chosen?.underWay);
          for (const { lastTurn } of equals) expect(chosen?.lastTurn).toBeLessThanOrEqual(lastTurn);
        }
      }),
    );
  });
});
