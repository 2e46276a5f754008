import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadavg } from 'node:os';
import { createInterface } from 'node:readline';
import { run } from '../../cluster/run.ts';
import { medianOf } from './figure.ts';

/**
 * What telemetry costs on one route: the same answer by a bare fastify and with more and more around it, in turns, each on one
 * core, with 64 connections from the other one. Needs Debian's packages wrk and util-linux, and two cores.
 */
interface Variant {
  readonly what: string;
  readonly server: 'bare' | 'metrics' | 'traces' | 'service';
  /** The share of traces that is kept; without, telemetry is not loaded. */
  readonly sampled?: number;
}

const variants: readonly Variant[] = [
  { what: 'bare fastify', server: 'bare' },
  { what: '+ metrics', server: 'metrics' },
  { what: '+ metrics, traces 1 %', server: 'traces', sampled: 0.01 },
  { what: '+ metrics, traces 100 %', server: 'traces', sampled: 1 },
  { what: 'service(), untraced', server: 'service' },
  { what: 'service(), traces 1 %', server: 'service', sampled: 0.01 },
  { what: 'service(), traces 100 %', server: 'service', sampled: 1 },
];

const rounds = Number(process.env.ROUNDS ?? 3);
const [warmSeconds, seconds, connections] = [2, 5, 64];
const [serverCore, otherCore] = ['0', '1'];
const startMs = 20_000;

const collector = createServer((request, response) => {
  request.resume().on('end', () => response.end());
}).listen(0, '127.0.0.1');
await once(collector, 'listening');
await run('taskset', ['--all-tasks', '--cpu-list', '--pid', otherCore, String(process.pid)]);

const rates = new Map<Variant, number[]>();
for (let round = 0; round < rounds; round += 1) {
  for (const variant of variants) rates.set(variant, [...(rates.get(variant) ?? []), await rateOf(variant)]);
}
collector.close();

const bare = medianOf(rates.get(variants[0] as Variant) ?? []);
console.log(`node ${process.version}, ${rounds} rounds of ${seconds} s, load average ${loadavg()[0]?.toFixed(1)}\n`);
console.log(
  '| one route | requests/s | ratio to bare | µs a request | more than bare |\n| --- | --- | --- | --- | --- |',
);
for (const [{ what }, samples] of rates) {
  const rate = medianOf(samples);
  const micros = 1e6 / rate;
  const figures = [Math.round(rate), (rate / bare).toFixed(2), micros.toFixed(1), (micros - 1e6 / bare).toFixed(1)];
  console.log(`| ${[what, ...figures].join(' | ')} |`);
}

/** Requests a second that it answers with its core to itself. */
async function rateOf({ server, sampled }: Variant): Promise<number> {
  const { port } = collector.address() as AddressInfo;
  const telemetry = new URL('../../services/common/src/telemetry/telemetry.ts', import.meta.url).pathname;
  const program = new URL('telemetry-server.ts', import.meta.url).pathname;
  const child = spawn(
    'taskset',
    [
      '--cpu-list',
      serverCore,
      process.execPath,
      ...(sampled === undefined ? [] : ['--import', telemetry]),
      program,
      server,
    ],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        OTEL_SERVICE_NAME: 'bench',
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
        OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
        OTEL_TRACES_SAMPLER_ARG: String(sampled ?? 0),
      },
    },
  );
  try {
    const url = `http://127.0.0.1:${await portOf(child.stderr)}/products/7`;
    await wrk(url, warmSeconds);
    return await wrk(url, seconds);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
}

async function portOf(output: NodeJS.ReadableStream): Promise<string> {
  const lines = createInterface({ input: output });
  const heard = new Promise<string>((resolve) => {
    lines.on('line', (line) => {
      if (line.startsWith('port ')) resolve(line.slice('port '.length));
    });
  });
  const late = new Promise<never>((_resolve, reject) => {
    setTimeout(() => reject(new Error(`the server did not listen within ${startMs} ms`)), startMs).unref();
  });
  return await Promise.race([heard, late]);
}

async function wrk(url: string, forSeconds: number): Promise<number> {
  const args = ['--cpu-list', otherCore, 'wrk', '-t1', `-c${connections}`, `-d${forSeconds}s`, url];
  const report = await run('taskset', args);
  if (/Non-2xx|Socket errors/.test(report)) throw new Error(`not every request was answered:\n${report}`);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(report)?.[1]);
}
