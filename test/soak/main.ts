// `make soak`: an hour in which a little of everything goes wrong all the time, and at the end everything is as it should
// be, and the operator as big as at the beginning. `--minutes 5` for a short one; `--seed` for the same again.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { randomNumbers } from '../../services/loadgen/src/random.ts';
import { apiFaults } from '../faults/api-faults.ts';
import { References } from '../faults/reference.ts';
import { reaches, silence } from '../faults/settling.ts';
import { withoutVersions } from '../faults/state.ts';
import { base, change, create, threeEdits } from '../faults/workloads.ts';
import { World } from '../faults/world.ts';
import { paths } from '../support/kube-api.ts';
import { growthIn, type Sample } from './growth.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
  },
});
const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
if (!(minutes >= 1) || !Number.isInteger(seed)) throw new Error('--minutes takes a number from 1, --seed an integer');

const crowd = 30;
const sampleMs = 10_000;
/** Of all requests, in percent. */
const faultShare = 1;
const unrestMs = 500;
const watchFaultMs = 7_000;
/** What a heap moves by from one collection to the next. */
const mostMegabytes = 16;
const mostDescriptors = 4;

const random = randomNumbers(seed);
const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
console.log(`soak of ${minutes} minutes with ${crowd} Microservices, seed ${seed}`);

await using world = await World.start();
// How many versions came to be depends on the edits.
const expected = withoutVersions((await new References(world).of(threeEdits.name)).before);
const namespaces: string[] = [];
for (let index = 0; index < crowd; index += 1) {
  const namespace = await world.namespace();
  await world.act(create(base), namespace);
  namespaces.push(namespace);
}
for (const namespace of namespaces)
  await reaches(world, namespace, expected, { withinMs: 60_000, of: withoutVersions });

const counted = { edits: 0, drifts: 0, watchFaults: 0, answers: 0 };
const endOfAnswers = world.proxy.add(() => {
  if (random() * 100 >= faultShare) return undefined;
  counted.answers += 1;
  return pick(Object.values(apiFaults).filter(({ kind }) => kind !== 'stall'));
});
const until = performance.now() + minutes * 60_000;
const [samples] = await Promise.all([watchGrowth(), repeat(unrestMs, unrest), repeat(watchFaultMs, breakWatch)]);
endOfAnswers();

const problems: string[] = [];
const ended = performance.now();
for (const namespace of namespaces) {
  // What a merge patch adds, it does not take away: the fields that were edited are all stated here.
  await world.api.patch(microserviceIn(namespace), { spec: base });
}
for (const namespace of namespaces) {
  await reaches(world, namespace, expected, { withinMs: 60_000, of: withoutVersions }).catch((error: unknown) =>
    problems.push(`${namespace}: ${String(error).slice(0, 400)}`),
  );
}
const recoveryMs = performance.now() - ended;
problems.push(...(await silence(world, namespaces, 3_000)).flat(), ...world.takeFaults());

const growth = growthIn(samples);
console.log(
  `\n${counted.edits} edits, ${counted.drifts} children changed or deleted, ${counted.watchFaults} watches broken, ` +
    `${counted.answers} requests gone wrong of ${world.proxy.asked.length}; converged ${Math.round(recoveryMs)} ms after the end`,
);
console.log(
  `memory ${growth.megabytes.from} -> ${growth.megabytes.to} MB, descriptors ${growth.descriptors.from} -> ` +
    `${growth.descriptors.to} (medians of the second and of the last quarter, ${samples.length} samples)`,
);
if (growth.megabytes.to - growth.megabytes.from > mostMegabytes) problems.push('memory grows');
if (growth.descriptors.to - growth.descriptors.from > mostDescriptors) problems.push('descriptors grow');
for (const problem of problems) console.log(`FAILED ${problem}`);
console.log(problems.length === 0 ? 'passed' : `failed; the same again: --minutes ${minutes} --seed ${seed}`);
process.exitCode = problems.length === 0 ? 0 : 1;

async function repeat(everyMs: number, act: () => Promise<void>): Promise<void> {
  while (performance.now() < until) {
    await act();
    await sleep(everyMs * (0.5 + random()));
  }
}

async function watchGrowth(): Promise<readonly Sample[]> {
  const found: Sample[] = [];
  while (performance.now() < until) {
    found.push(world.sample());
    if (found.length % 30 === 0)
      console.log(`${Math.round((until - performance.now()) / 60_000)} minutes left: ${JSON.stringify(found.at(-1))}`);
    await sleep(sampleMs);
  }
  return found;
}

/** Somebody edits a Microservice, or a child of it, or deletes the child. */
async function unrest(): Promise<void> {
  const namespace = pick(namespaces);
  const child = pick([paths.deployments(namespace), paths.services(namespace)]);
  switch (pick(['edit', 'edit', 'drift', 'delete'] as const)) {
    case 'edit':
      counted.edits += 1;
      await change(
        pick([
          { image: `example.test/orders:1.0.${Math.floor(random() * 5)}` },
          { replicas: 1 + Math.floor(random() * 3) },
          { env: [{ name: 'LEVEL', value: pick(['info', 'debug']) }] },
        ]),
      )(world.api, namespace);
      break;
    case 'drift':
      counted.drifts += 1;
      await world.api.ask(
        'PATCH',
        `${child}/orders`,
        { metadata: { labels: { 'app.kubernetes.io/name': 'other' } } },
        'application/merge-patch+json',
      );
      break;
    case 'delete':
      counted.drifts += 1;
      await world.api.ask('DELETE', `${child}/orders`);
      break;
  }
}

async function breakWatch(): Promise<void> {
  const streams = [...world.proxy.watches].filter(({ isOver }) => !isOver);
  if (streams.length === 0) return;
  counted.watchFaults += 1;
  const stream = pick(streams);
  pick([() => stream.close(), () => stream.reset(), () => stream.expire()])();
}

function microserviceIn(namespace: string): string {
  return `${paths.microservices(namespace)}/orders`;
}
