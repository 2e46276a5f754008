import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MicroserviceSpec } from '../../operator/src/api/microservice.generated.ts';
import type { KubeObject, Manifest } from '../../operator/src/api/object.ts';
import { desiredChildren } from '../../operator/src/desired/children.ts';
import { type ContentRef, contentRefs } from '../../operator/src/desired/content.ts';
import { canonicalJson } from '../../operator/src/desired/hash.ts';
import { validSpecs } from '../support/arbitrary-spec.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane.ts';
import { type Engine, openEngine } from '../support/engine.ts';
import { differences, type Essence, essenceOf } from '../support/essence.ts';
import { eventually } from '../support/eventually.ts';
import { fullSpecs } from '../support/full-specs.ts';
import { installDefinition, KubeApi } from '../support/kube-api.ts';
import { type Leaf, leavesIn, withPart } from '../support/leaves.ts';
import { microservice, microserviceSchema } from '../support/microservice.ts';
import { OperatorProcess } from '../support/operator-process.ts';
import { withOtherValue } from '../support/other-value.ts';
import { nodePortsOf, pathOfKind, Refused, slots, Walker, withNodePorts } from '../support/walker.ts';

const specSchema = microserviceSchema().properties?.spec ?? {};

/** The same seed, the same random walk. */
const seed = Number(process.env.WALK_SEED ?? Math.floor(Math.random() * 2 ** 31));
const randomSteps = 80;
/** How many Microservices walk at the same time. */
const walkerCount = 8;
/** Every so often a fresh Microservice is made through the operator, too. */
const twinEvery = 16;

const serviceTypes = ['ClusterIP', 'NodePort', 'LoadBalancer'] as const;

/** One step of a walk that did not end as it had to. */
interface Fault {
  readonly step: string;
  readonly what: readonly string[];
  readonly before: MicroserviceSpec;
  readonly after: MicroserviceSpec;
}

/** A leaf, and every place in a full spec where it is set. */
interface Errand {
  readonly path: string;
  readonly home: MicroserviceSpec;
  readonly leaves: readonly Leaf[];
}

describe('the walk over the schema', () => {
  let plane: ControlPlane;
  let api: KubeApi;
  let operator: OperatorProcess;
  let engine: Engine;
  let walkers: Walker[] = [];
  const faults: Fault[] = [];
  const skipped: string[] = [];
  const began = performance.now();
  const counts = { leaves: 0, transitions: 0, twins: 0 };

  beforeAll(async () => {
    plane = await startControlPlane({ controllerManager: true });
    api = new KubeApi(plane.kubeconfig);
    await installDefinition(api);
    operator = await startOperator();
    engine = await openEngine(plane.kubeconfig);
    engine.cluster.start();
    await engine.cluster.firstSync();
    walkers = Array.from({ length: walkerCount }, (_, at) => new Walker(api, engine.cluster, `walker-${at}`, at + 1));
  });
  afterAll(async () => {
    const seconds = Math.round((performance.now() - began) / 1000);
    console.log(
      `walked with WALK_SEED=${seed}: ${counts.leaves} leaves, ${counts.transitions} transitions, ` +
        `${counts.twins} compared with fresh ones of the operator, ${skipped.length} skipped, ${seconds} s`,
    );
    for (const line of skipped.toSorted()) console.log(`skipped: ${line}`);
    await engine?.[Symbol.asyncDispose]();
    await operator?.stop();
    await api?.[Symbol.asyncDispose]();
    await plane?.stop();
  });

  const startOperator = () =>
    OperatorProcess.start(plane.kubeconfig, { OPERATOR_SERVICE_TYPES: serviceTypes.join(',') });
  const written = () => operator.log.filter(({ msg }) => msg === 'child written').length;

  const known = new Map<string, Promise<string>>();

  /** What the children of a new Microservice would be, as the API server says without keeping them. */
  async function fresh(spec: MicroserviceSpec): Promise<Essence> {
    const placed = withNodePorts({ ...defaults, ...spec }, 0);
    const ms = { ...microservice({ metadata: { name: 'fresh', namespace: 'default' } }), spec: placed };
    const desired = desiredChildren(ms, { serviceTypes });
    const nodePorts = nodePortsOf(placed);
    const texts = await Promise.all(
      desired.map(async (manifest) => {
        const key = canonicalJson(manifest);
        const text = known.get(key) ?? tryOut(manifest, nodePorts);
        known.set(key, text);
        return [manifest.kind, await text] as const;
      }),
    );
    return Object.fromEntries(texts);
  }

  async function tryOut(manifest: Manifest, nodePorts: readonly number[]): Promise<string> {
    const made: KubeObject = await api.post(`${pathOfKind(manifest.kind)}?dryRun=All`, manifest);
    return essenceOf([{ ...made, kind: manifest.kind }], { withContentMark: false, nodePorts })[manifest.kind] ?? '';
  }

  /** Goes one step, and notes what is not as it would be for a new Microservice. */
  async function go(
    walker: Walker,
    before: MicroserviceSpec | undefined,
    after: MicroserviceSpec,
    step: string,
    withTwin: boolean,
  ): Promise<void> {
    const note = (...what: string[]) => faults.push({ step, what, before: before ?? after, after });
    try {
      const deployment = walker.deployment();
      await walker.become(after);
      counts.transitions += 1;
      const expected = await fresh(after);
      const wrong = await lastDifferences(() => differences(walker.essence(false), expected));
      if (wrong.length > 0) note(...wrong);
      if (deployment !== undefined && before !== undefined) {
        const now = walker.deployment();
        const rolls = generationOf(now) - generationOf(deployment);
        if (rolls > 1 && !isScaled(before) && !isScaled(after)) note(`Deployment: was changed ${rolls} times`);
        const isSame = isSamePod(await fresh(before), expected) && isSameContent(before, after);
        if (isSame && canonicalJson(templateOf(now)) !== canonicalJson(templateOf(deployment))) {
          note('Deployment: has other pods, and was asked for the same');
        }
      }
      if (withTwin) await compareWithTwin(walker, after, note);
    } catch (error) {
      if (error instanceof Refused) throw error;
      note(String(error));
    }
  }

  async function compareWithTwin(
    walker: Walker,
    spec: MicroserviceSpec,
    note: (...what: string[]) => void,
  ): Promise<void> {
    counts.twins += 1;
    const twin = new Walker(
      api,
      engine.cluster,
      `twin-${counts.twins}`,
      walkerCount + 1 + (counts.twins % (slots - walkerCount - 1)),
    );
    await twin.become(spec);
    const wrong = await lastDifferences(() => differences(walker.essence(true), twin.essence(true)));
    if (wrong.length > 0) note(...wrong.map((line) => `unlike a fresh one of the operator: ${line}`));
    await twin.remove();
  }

  /** Goes to the first of some specs that the API server takes, and gives it; none is noted with the reason. */
  async function goToOne(
    walker: Walker,
    before: MicroserviceSpec | undefined,
    specs: readonly MicroserviceSpec[],
    step: string,
    withTwin: boolean,
  ): Promise<MicroserviceSpec | undefined> {
    let reason = '';
    for (const spec of specs) {
      try {
        await go(walker, before, spec, step, withTwin);
        return spec;
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        reason ||= reasonIn(error.message);
      }
    }
    skipped.push(`${step}: ${reason}`);
    return before;
  }

  it('changes, takes away and puts back every field, and ends where a new Microservice would begin', async () => {
    await provideContent(api);
    const errands = homes.flatMap(errandsIn).filter(isFirstOfItsPath);
    counts.leaves = errands.length;
    const at = new Map<Walker, MicroserviceSpec>();
    const free = [...walkers];
    await sideBySide(errands, walkerCount, async ({ path, home, leaves }, index) => {
      const walker = free.pop();
      if (walker === undefined) throw new Error('there are more errands at once than walkers');
      const withTwin = index % twinEvery === 0 || path.endsWith('onChange');
      if (at.get(walker) !== home) {
        await goToOne(walker, at.get(walker), [home], `to ${Object.keys(home).join(', ')}`, true);
      }
      const others = leaves.map((leaf) => withOtherValue(home, leaf));
      const changed = (await goToOne(walker, home, others, `${path}, another value`, withTwin)) ?? home;
      const without = leaves.map((leaf) => withPart(home, leaf.at, undefined));
      const removed = (await goToOne(walker, changed, without, `${path}, without it`, withTwin)) ?? home;
      if (removed !== home) await go(walker, removed, home, `${path}, put back`, false);
      at.set(walker, home);
      free.push(walker);
    });
    expect(skipped.filter((line) => line.startsWith('to '))).toEqual([]);
    expect(told(faults.splice(0))).toBe('');
  }, 900_000);

  it('goes from any spec to any other, and ends where a new Microservice would begin', async () => {
    const specs = fc.sample(fc.oneof({ weight: 9, arbitrary: validSpecs }, { weight: 1, arbitrary: anyFullSpec }), {
      numRuns: randomSteps,
      seed,
    });
    const perWalker = Math.ceil(specs.length / walkerCount);
    await Promise.all(
      walkers.map(async (walker, at) => {
        let before: MicroserviceSpec | undefined;
        for (const [index, spec] of specs.slice(at * perWalker, (at + 1) * perWalker).entries()) {
          const step = `WALK_SEED=${seed}, walker ${at}, step ${index}`;
          before = await goToOne(walker, before, [spec], step, index % twinEvery === 0);
        }
      }),
    );
    expect(counts.transitions).toBeGreaterThanOrEqual(500);
    expect(skipped.filter((line) => line.startsWith('WALK_SEED'))).toEqual([]);
    expect(told(faults.splice(0))).toBe('');
  }, 900_000);

  it('rolls no pod and writes to no child for the same spec: not when it is touched, not when the operator restarts', async () => {
    await Promise.all(walkers.map((walker, at) => walker.become(homes[at % homes.length] ?? defaultHome)));
    await quiet(written);
    const seen = walkers.map((walker) => walker.deployment());
    const before = written();

    await Promise.all(walkers.map((walker) => walker.touch('once')));
    await quiet(written);
    expect(operator.log.filter(({ msg }) => msg === 'child written').slice(before)).toEqual([]);

    await operator.stop();
    operator = await startOperator();
    await Promise.all(walkers.map((walker) => walker.touch('twice')));
    await quiet(written);
    expect(operator.log.filter(({ msg }) => msg === 'child written')).toEqual([]);

    expect(walkers.map((walker) => templateOf(walker.deployment()))).toEqual(seen.map(templateOf));
  }, 60_000);
});

const defaults = { replicas: 1 };

/** The full specs without pods, which nobody here would run. */
const homes: readonly MicroserviceSpec[] = Object.values(fullSpecs).map((spec) => ({ ...spec, replicas: 0 }));

/** What goes with a field, so that the API server takes it. */
const companions: Readonly<Record<string, readonly (keyof MicroserviceSpec)[]>> = {
  ports: ['service'],
  service: ['ports'],
  probes: ['ports', 'service'],
  volumeMounts: ['volumes'],
  initContainers: ['volumes'],
  autoscaling: ['resources'],
  observability: ['ports', 'service'],
};

/** The leaves of a full spec, each in the part of it that its field needs: whole specs take the API server far longer. */
function errandsIn(full: MicroserviceSpec): Errand[] {
  return Object.keys(full).flatMap((field) => {
    const part = ['image', 'replicas', field, ...(companions[field] ?? [])];
    const home = Object.fromEntries(Object.entries(full).filter(([name]) => part.includes(name)));
    const leaves = leavesIn(home, specSchema).filter(({ at }) => at[0] === field);
    return [...Map.groupBy(leaves, ({ path }) => path)].map(([path, of]) => ({
      path,
      home: home as unknown as MicroserviceSpec,
      leaves: of,
    }));
  });
}

function isFirstOfItsPath({ path }: Errand, index: number, all: readonly Errand[]): boolean {
  return all.findIndex((errand) => errand.path === path) === index;
}

const defaultHome: MicroserviceSpec = { image: 'ghcr.io/acme/orders:1.4.2', ...defaults };
const anyFullSpec: fc.Arbitrary<MicroserviceSpec> = fc.constantFrom(...homes);

/** ConfigMaps and Secrets for every name and key that the walk comes by, so that content is never missing. */
async function provideContent(api: KubeApi): Promise<void> {
  const refs: ContentRef[] = homes.flatMap((spec) => contentRefs(microservice({ spec: withAllContent(spec) })));
  refs.push(
    ...(['ConfigMap', 'Secret'] as const).flatMap((kind) => contentOfValidSpecs.map((of) => ({ kind, ...of }))),
  );
  const keysOf = Map.groupBy(refs, ({ kind, name }) => `${kind}/${name}`);
  for (const [id, used] of keysOf) {
    const [kind = '', name = ''] = id.split('/');
    const keys = ['a', ...used.flatMap(({ keys: some = [] }) => some)].flatMap((key) => [key, `${key}x`]);
    const data = Object.fromEntries(keys.map((key) => [key, 'eA==']));
    for (const called of [name, `${name}x`]) {
      const path = `/api/v1/namespaces/default/${kind === 'Secret' ? 'secrets' : 'configmaps'}`;
      await api.post(path, { metadata: { name: called }, data });
    }
  }
}

/** What `validSpecs` refers to. */
const contentOfValidSpecs = [
  ...['orders', 'orders-db'].map((name) => ({ name, keys: ['key', 'password'], optional: false })),
  ...['a', 'b'].map((name) => ({ name, optional: false })),
];

/** The spec with every reference counted, those that opted out too. */
function withAllContent(spec: MicroserviceSpec): MicroserviceSpec {
  return JSON.parse(JSON.stringify(spec).replaceAll('"onChange":"None"', '"onChange":"Rollout"'));
}

/** Works on all items, so many at a time, each item once. */
async function sideBySide<T>(items: readonly T[], atOnce: number, work: (item: T, index: number) => Promise<void>) {
  const rest = items.entries();
  const one = async () => {
    for (const [index, item] of rest) await work(item, index);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}

/** Differences that last: what is only not there yet goes away. */
async function lastDifferences(ask: () => string[]): Promise<string[]> {
  let last: string[] = [];
  await eventually(
    () => {
      last = ask();
      if (last.length > 0) throw new Error('not yet');
    },
    { withinMs: 8_000, everyMs: 10 },
  ).catch(() => undefined);
  return last;
}

/** Waits until a number has not grown for a second. */
async function quiet(count: () => number): Promise<void> {
  let [last, since] = [count(), performance.now()];
  await eventually(
    () => {
      if (count() !== last) [last, since] = [count(), performance.now()];
      if (performance.now() - since < 1_000) throw new Error('the operator goes on writing');
    },
    { withinMs: 15_000, everyMs: 50 },
  );
}

function isSamePod(a: Essence, b: Essence): boolean {
  const template = ({ Deployment: text = '{}' }: Essence) => canonicalJson(JSON.parse(text).spec?.template);
  return template(a) === template(b);
}

/** Whether the content that pods use can only be the same. */
function isSameContent(a: MicroserviceSpec, b: MicroserviceSpec): boolean {
  const content = (spec: MicroserviceSpec) => canonicalJson([spec.config, contentRefs(microservice({ spec }))]);
  return content(a) === content(b);
}

function isScaled({ autoscaling, suspend }: MicroserviceSpec): boolean {
  return autoscaling !== undefined && !suspend;
}

function generationOf(object: KubeObject | undefined): number {
  return object?.metadata.generation ?? 0;
}

function templateOf(deployment: KubeObject | undefined): unknown {
  return (deployment?.spec as { readonly template?: unknown } | undefined)?.template;
}

/** The part of a refusal that says why. */
function reasonIn(refusal = ''): string {
  return refusal.replace(/^Microservice\S* "\S+" is invalid: /, '').slice(0, 160);
}

function told(faults: readonly Fault[]): string {
  const lines = faults.map(({ step, what }) => `${step}:\n    ${what.join('\n    ')}`);
  const [first] = faults;
  const specs = first ? `\n\nbefore: ${JSON.stringify(first.before)}\n\nafter: ${JSON.stringify(first.after)}` : '';
  return lines.slice(0, 60).join('\n') + specs;
}
