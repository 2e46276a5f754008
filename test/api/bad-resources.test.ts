import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reasons } from '../../operator/src/api/conditions.ts';
import type { ObjectKey } from '../../operator/src/api/object.ts';
import { api, plane, startApiServer } from '../support/api-server.ts';
import { validSpecs } from '../support/arbitrary-spec.ts';
import { type BadSpec, badSpecs } from '../support/bad-resources.ts';
import { microservice } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { fullSpecs } from '../support/full-specs.ts';
import { makeNamespace, paths } from '../support/kube-api.ts';
import { OperatorProcess } from '../support/operator-process.ts';

// Made-up resources with something wrong, all in one namespace, while two neighbours live there: `quiet`, which nobody
// touches, and `busy`, which is changed again and again. Nothing makes pods here: it is about what the operator does.
const count = Number(process.env.BAD_RESOURCES ?? 300);
const seed = Number(process.env.BAD_RESOURCES_SEED ?? 20_261_121);
const atOnce = 4;
/** A change of a neighbour may take this long meanwhile. */
const neighbourMs = 2_000;

interface Fate {
  readonly bad: BadSpec;
  /** The answer of the API server, and the reason of Ready where it took the resource. */
  readonly code: number;
  readonly reason?: string;
  /** What went against the promise. */
  readonly wrong?: string;
}

let operator: OperatorProcess;
let namespace: string;
let fates: readonly Fate[];
let quietBefore: unknown;
const neighbourTookMs: number[] = [];

startApiServer();
beforeAll(
  async () => {
    namespace = await makeNamespace(api);
    operator = await OperatorProcess.start(plane.kubeconfig);
    for (const name of ['quiet', 'busy']) {
      await api.post(paths.microservices(namespace), microservice({ namespace, name }, neighbour));
      await explained({ namespace, name });
    }
    await rest();
    quietBefore = await versionsOf('quiet');

    const bases = fc.oneof(fc.constantFrom(...Object.values(fullSpecs)), validSpecs);
    const all = fc.sample(badSpecs(bases), { numRuns: count, seed });
    const isOver = new AbortController();
    const busy = changeAgainAndAgain('busy', isOver.signal);
    fates = await eachOf(all, submit);
    isOver.abort();
    await busy;
  },
  120_000 + count * 60,
);
afterAll(() => operator?.stop());

const neighbour = { config: { data: { A: '1' } }, autoscaling: { maxReplicas: 3, cpu: 50 }, ...requests() };
function requests() {
  return { resources: { requests: { cpu: '10m' } } };
}

/** Works on a few at a time, and gives what came of each, in order. */
async function eachOf<T, R>(all: readonly T[], work: (one: T, at: number) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  const rest = all.entries();
  const worker = async () => {
    for (const [at, one] of rest) results[at] = await work(one, at);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

async function submit(bad: BadSpec, at: number): Promise<Fate> {
  const key = { namespace, name: `bad-${at}` };
  const object = { ...microservice(key), spec: bad.spec };
  // As kubectl sends it, or as a client that does not have unknown fields refused.
  const strictness = at % 2 === 0 ? '?fieldValidation=Strict' : '';
  const { status: code, body } = await api.ask('POST', paths.microservices(namespace) + strictness, object);
  if (code >= 500) return { bad, code, wrong: `the API server failed: ${body.message}` };
  if (code >= 400) return { bad, code, ...(body.message ? {} : { wrong: 'refused without a message' }) };
  try {
    return { bad, code, reason: await explained(key) };
  } catch (error) {
    return { bad, code, wrong: String(error) };
  }
}

/** The reason of Ready, once the operator has said of this very spec what is the matter. */
function explained({ name }: Pick<ObjectKey, 'name'> & Partial<ObjectKey>): Promise<string> {
  return eventually(
    async () => {
      const { metadata, status } = await api.get(`${paths.microservices(namespace)}/${name}`);
      expect(status.observedGeneration).toBe(metadata.generation);
      const [ready, ...others] = status.conditions;
      expect(ready.type).toBe('Ready');
      expect(Object.keys(reasons)).toContain(ready.reason);
      expect(ready.message).toMatch(/^.+ - .+ - .+$/);
      if (ready.status === 'False') expect(others).toMatchObject([{ reason: ready.reason, message: ready.message }]);
      return ready.reason as string;
    },
    { withinMs: 20_000, everyMs: 100 },
  );
}

/** The version of every object of that name, but for the status of the Microservice. */
async function versionsOf(name: string): Promise<unknown> {
  const kinds = [
    paths.deployments(namespace),
    paths.services(namespace),
    paths.autoscalers(namespace),
    `/api/v1/namespaces/${namespace}/configmaps`,
    `/api/v1/namespaces/${namespace}/serviceaccounts`,
    `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`,
    paths.microservices(namespace),
  ];
  return Promise.all(kinds.map(async (kind) => (await api.get(`${kind}/${name}`)).metadata.resourceVersion));
}

/** Changes a Microservice, waits until its Deployment shows it, and begins again. */
async function changeAgainAndAgain(name: string, isOver: AbortSignal): Promise<void> {
  for (let turn = 1; !isOver.aborted; turn += 1) {
    await api.patch(`${paths.microservices(namespace)}/${name}`, { spec: { args: [`--turn=${turn}`] } });
    const start = performance.now();
    await eventually(
      async () => {
        const { spec } = await api.get(`${paths.deployments(namespace)}/${name}`);
        expect(spec.template.spec.containers[0].args).toEqual([`--turn=${turn}`]);
      },
      { withinMs: 30_000, everyMs: 50 },
    );
    neighbourTookMs.push(performance.now() - start);
    await sleep(500);
  }
}

/** Writes of the operator that the API server took, so far. */
async function writes(): Promise<number> {
  const { text } = await operator.ask('/metrics');
  const lines = text.matchAll(
    /^microservice_platform_api_requests_total\{verb="(?:create|apply|patch|delete)",kind="(?!Event).*",code="2\d\d"\} (\d+)$/gm,
  );
  return [...lines].reduce((sum, [, value]) => sum + Number(value), 0);
}

/** Waits until the operator has written nothing for three seconds. */
function rest(): Promise<void> {
  return eventually(
    async () => {
      const before = await writes();
      await sleep(3_000);
      expect(await writes()).toBe(before);
    },
    { withinMs: 20_000 },
  );
}

describe(`${count} resources with something wrong (BAD_RESOURCES_SEED=${seed})`, () => {
  test('are refused with a message, or taken and explained by a reason of the list', () => {
    expect(fates).toHaveLength(count);
    expect(fates.filter(({ wrong }) => wrong !== undefined)).toEqual([]);
  });

  test('are of many kinds: many are refused, many are taken, and of those not all for the same reason', () => {
    const share = (which: (fate: Fate) => boolean) => fates.filter(which).length / count;
    expect(share(({ code }) => code >= 400)).toBeGreaterThan(0.25);
    expect(share(({ code }) => code < 300)).toBeGreaterThan(0.1);
    expect(new Set(fates.map(({ reason }) => reason)).size).toBeGreaterThan(3);
  });

  test('find no fault in the operator, which goes on', async () => {
    expect(operator.log.filter(({ msg }) => /fault/.test(String(msg)))).toEqual([]);
    expect((await operator.ask('/healthz')).status).toBe(200);
  });

  test('change nothing about a neighbour, which is not written to once', async () => {
    expect(await versionsOf('quiet')).toEqual(quietBefore);
  });

  test('hold up no neighbour: each of its changes was done within 2 s', () => {
    expect(neighbourTookMs.length).toBeGreaterThan(5);
    expect(Math.max(...neighbourTookMs)).toBeLessThan(neighbourMs);
  });

  test('leave the operator at rest, and the next one writes nothing: what is there is what is wanted', async () => {
    await rest();
    await operator.stop();
    operator = await OperatorProcess.start(plane.kubeconfig);
    await rest();
    expect(await writes()).toBe(0);
  });
});
