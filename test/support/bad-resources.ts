import fc from 'fast-check';
import type { MicroserviceSpec } from '../../operator/src/api/microservice.generated.ts';

/** A spec that was valid before something was done to it, and what was done. */
export interface BadSpec {
  readonly spec: unknown;
  readonly how: readonly string[];
}

type Path = readonly (string | number)[];
type Holder = Record<string | number, unknown>;

/** One change of a tree at a path, in place. */
interface Mutation {
  readonly name: string;
  readonly apply: (holder: Holder, key: string | number, root: unknown) => void;
}

/** Values of every type, the odd ones of each: what parsers, bounds and builders stumble over. */
const oddValues: readonly unknown[] = [
  ...[null, true, false, 0, -0, 1, -1, 0.5, 2 ** 31, 2 ** 53 + 2, -(2 ** 63), 1e308, 1e-7, [], {}, [[]], [null], [{}]],
  ...['', ' ', '0', '-1', '1e3', '1E400', '1Gi', '01', '0x10', 'NaN', 'null', 'true', '2026-11-21', '$(A)', '{{ . }}'],
  ...['/', '..', '../x', 'a/b', 'a..b', '-a', 'a-', 'a%2fb', 'A', 'http', '*', '%00', 'a:b', "metadata.labels['']"],
  ...['\u0000', 'a\nb', '\r\n', '\u001b[31m', '\u202e', '\ufeff', 'é', 'e\u0301', '１２', '💥', '\ud800', 'ı', 'ﬀ'],
  ...['__proto__', 'constructor', 'toString', 'x'.repeat(64), 'x'.repeat(254), 'x'.repeat(9_000), 'x'.repeat(300_000)],
  ...[
    { a: 1 },
    { name: 'a' },
    { type: 'Utilization' },
    ['a', 'a'],
    ['a', 1],
    [{ name: 'a' }, { name: 'a' }],
    deep(200),
  ],
];

const oddKeys = ['__proto__', 'constructor', 'hasOwnProperty', 'nope', '', 'a b', 'A_1', 'é', '💥', 'x'.repeat(300)];

/** A tree as deep as that, of lists and objects. */
function deep(depth: number): unknown {
  return Array.from({ length: depth }).reduce<unknown>((inner, _, at) => (at % 2 ? [inner] : { a: inner }), 'a');
}

const put = (holder: Holder, key: string | number, value: unknown) =>
  // By definition, because an assignment to `__proto__` does something else.
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });

const changed = (name: string, change: (before: unknown) => unknown): Mutation => ({
  name,
  apply: (holder, key) => put(holder, key, change(holder[key])),
});

const replaced = fc
  .constantFrom(...oddValues)
  .map((value) => changed(`is ${(JSON.stringify(value) ?? '').slice(0, 40)}`, () => structuredClone(value)));

const removed: Mutation = {
  name: 'is left out',
  apply: (holder, key) => {
    if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else delete holder[key];
  },
};

const extended = fc.tuple(fc.constantFrom(...oddKeys), fc.constantFrom(...oddValues)).map(([key, value]) =>
  changed(`has ${key.slice(0, 20)}`, (before) => {
    if (Array.isArray(before)) return [...before, structuredClone(value)];
    if (typeof before !== 'object' || before === null) return { [key]: before };
    return put({ ...before }, key, structuredClone(value));
  }),
);

/** Numbers just beside what they are, and lists and texts many times as long. */
const nudged = fc.constantFrom(-1, 1, 10, 1000).map((by) =>
  changed(`is off by ${by}`, (before) => {
    if (typeof before === 'number') return before + by;
    if (typeof before === 'string') return before.slice(0, 300).repeat(Math.abs(by) + 1);
    if (Array.isArray(before)) return Array.from({ length: Math.min(Math.abs(by) + 1, 100) }, () => before).flat();
    return before;
  }),
);

/** What stands somewhere else in the same spec: well-formed, and in the wrong place or in contradiction to it. */
const transplanted = fc.nat().map(
  (pick): Mutation => ({
    name: `is what stands at ${pick}`,
    apply: (holder, key, root) => {
      const paths = pathsOf(root);
      const value = (paths[pick % paths.length] ?? []).reduce<unknown>((part, at) => (part as Holder)[at], root);
      put(holder, key, structuredClone(value));
    },
  }),
);

/** Values that look right to a schema, and may be wrong to whoever takes them. */
const plausible = {
  string: [
    ...[
      'a..b',
      'a.-b',
      '0',
      '9',
      'a',
      'a-b.c',
      '::',
      '0.0.0.0',
      '256.1.1.1',
      '10.0.0.0/99',
      '1.2.3.4/33',
      '/a//b',
      '/a/../b',
    ],
    ...[
      "metadata.labels['']",
      "metadata.annotations['a b']",
      'http',
      'GRPC',
      '$(NOPE)',
      'x'.repeat(63),
      'x'.repeat(253),
    ],
    ...[
      '0m',
      '1n',
      '0.0000001',
      '99999Ei',
      '9'.repeat(30),
      '0%',
      '100%',
      'kubernetes.io/x',
      'default',
      'orders',
      'tcp',
    ],
  ],
  number: [0, 1, 2, 7, 80, 100, 600, 1000, 8080, 32767, 65535, 86_400, 2_147_483_647],
};

const tuned = fc.nat().map((pick) =>
  changed(`is plausible, no. ${pick}`, (before) => {
    if (typeof before === 'string') return plausible.string[pick % plausible.string.length];
    if (typeof before === 'number') return plausible.number[pick % plausible.number.length];
    if (typeof before === 'boolean') return !before;
    return Array.isArray(before) ? [] : {};
  }),
);

const mutations = fc.oneof(
  { weight: 8, arbitrary: tuned },
  { weight: 5, arbitrary: replaced },
  { weight: 2, arbitrary: fc.constant(removed) },
  { weight: 2, arbitrary: extended },
  { weight: 3, arbitrary: nudged },
  { weight: 3, arbitrary: transplanted },
);

/** The paths of all values below the root, the root's own fields first. */
function pathsOf(root: unknown, path: Path = []): Path[] {
  if (typeof root !== 'object' || root === null) return path.length === 0 ? [] : [path];
  const entries: [string | number, unknown][] = Array.isArray(root) ? [...root.entries()] : Object.entries(root);
  const below = entries.flatMap(([key, value]) => pathsOf(value, [...path, key]));
  return path.length === 0 ? below : [path, ...below];
}

/** Specs with one to three things wrong with them, or at least odd. */
export function badSpecs(bases: fc.Arbitrary<MicroserviceSpec>): fc.Arbitrary<BadSpec> {
  const steps = fc.integer({ min: 0, max: 5 }).chain((roll) => {
    // Half of them have one thing wrong: of several, the worst decides.
    const length = roll < 3 ? 1 : roll < 5 ? 2 : 3;
    return fc.array(fc.tuple(fc.nat(), mutations), { minLength: length, maxLength: length });
  });
  return fc.tuple(bases, steps).map(([base, changes]) => {
    const root = { spec: structuredClone(base) };
    const how: string[] = [];
    for (const [pick, mutation] of changes) {
      const paths = pathsOf(root);
      const path = paths[pick % paths.length];
      const key = path?.at(-1);
      if (path === undefined || key === undefined) continue;
      how.push(`${path.join('.')} ${mutation.name}`);
      const holder = path.slice(0, -1).reduce<unknown>((part, at) => (part as Holder)[at], root);
      mutation.apply(holder as Holder, key, root);
    }
    return { spec: root.spec, how };
  });
}
