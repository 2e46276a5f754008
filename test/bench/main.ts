// `make bench`: what the operator costs and how fast it is, on a control plane of its own, set against the bare API server
// in the same run. Ends with 1 when a budget is broken.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Bed, makeBed } from './bed.ts';
import { benchmark, benchmarkWarmUp } from './benchmark.ts';
import { isKept } from './budget.ts';
import { machineText, processorTime, shareOfOthers } from './machine.ts';
import { many, manyWarmUp } from './many.ts';
import { peer } from './peer.ts';
import { type Report, textOf } from './report.ts';

const { values } = parseArgs({
  options: {
    /** 200 resources and 30 s of rest: three minutes at most. */
    quick: { type: 'boolean', default: false },
    /** So many resources at once, an unrest among them, and a cluster full of what others have. */
    many: { type: 'string' },
    /** A file for the figures as JSON. */
    json: { type: 'string' },
  },
});

/** So that there are others beside the restless one. */
const fewest = 50;

async function run(bed: Bed): Promise<Omit<Report, 'machine' | 'others' | 'seconds'>> {
  if (values.many !== undefined) {
    const count = Number(values.many);
    if (!Number.isInteger(count) || count < fewest) throw new Error(`--many takes a number, ${fewest} or more`);
    return { title: `The operator with ${count} Microservices`, warmUp: manyWarmUp, ...(await many(bed, count)) };
  }
  const scale = values.quick
    ? { count: 200, rounds: 3, restSeconds: 30 }
    : { count: 200, rounds: 5, restSeconds: 60, most: 1_000 };
  return {
    title: `The operator with ${scale.count} Microservices that have 5 children each`,
    warmUp: benchmarkWarmUp,
    ...(await benchmark(bed, scale)),
  };
}

/** Everything on a control plane of its own, which is gone again afterwards. */
async function measure() {
  await using bed = await makeBed();
  const end = () => void bed[Symbol.asyncDispose]().then(() => process.exit(1));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  return { ...(await run(bed)), kubernetes: bed.kubernetes };
}

const started = performance.now();
const before = processorTime();
const { kubernetes, ...findings } = await measure();
const others = Math.round(shareOfOthers(before, processorTime()) * 100);
const report: Report = {
  ...findings,
  machine: `${machineText()}; Kubernetes ${kubernetes} and etcd on the same machine, nothing forced to disk`,
  others,
  seconds: (performance.now() - started) / 1000,
};
console.log(textOf(report));
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ ...report, peer }, null, 2)}\n`);
process.exitCode = report.budgets.every(isKept) ? 0 : 1;
