import type { Case, Spec } from './crd-case.ts';

const observability = (change: Spec) => ({ observability: change });
const metrics = (change: Spec) => observability({ metrics: change });
const slo = (change: Spec) => observability({ slo: change });
const latency = (change: Spec) => slo({ latency: change });
const tracing = (samplePercent: unknown) => observability({ tracing: { samplePercent } });

const udp = [{ name: 'http', containerPort: 53, protocol: 'UDP' }];
const admin = [{ name: 'admin', containerPort: 9090 }];
const portRemedy = /observability\.metrics\.port names a port that is not in spec\.ports, or not of protocol TCP/;
const percentRemedy = /samplePercent takes a number from 0 to 100, with decimals as text/;
const availabilityRemedy = /availability takes a percentage from 50 to less than 100, with decimals as text/;
const latencyRemedy = /a latency takes a time from 1ms to 60s, in ms or s, for example 250ms/;

/** The cases of spec.observability. */
export const observabilityCases: readonly Case[] = [
  ['metrics at a port that is not there', metrics({ port: 'admin' }), portRemedy, metrics({ port: 'grpc' })],
  [
    'metrics at a UDP port',
    { ...metrics({ port: 'http' }), ports: [...udp, ...admin] },
    portRemedy,
    { ...metrics({ port: 'admin' }), ports: [...udp, ...admin] },
  ],
  [
    'metrics without a port',
    { ...metrics({}), ports: [] },
    /observability\.metrics is asked for at a TCP port, and spec\.ports has none: add one, or set/,
    { ...metrics({ enabled: false }), ports: [] },
  ],
  [
    'metrics with UDP ports only',
    { ...metrics({}), ports: udp },
    /at a TCP port, and spec\.ports has none/,
    { ...metrics({}), ports: [...udp, ...admin] },
  ],
  ['a path of metrics that is relative', metrics({ path: 'metrics' }), /path.*should match/, metrics({ path: '/a/m' })],
  ['a path of metrics with a space', metrics({ path: '/a b' }), /path.*should match/, metrics({ path: '/a%20b' })],
  ['more than 100 percent of traces', tracing(101), percentRemedy, tracing(100)],
  ['less than no traces', tracing(-1), percentRemedy, tracing(0)],
  ['a share of traces in words', tracing('all'), percentRemedy, tracing('100')],
  ['a share of traces with a percent sign', tracing('10%'), percentRemedy, tracing('10')],
  ['a share of traces with too many decimals', tracing('0.00001'), percentRemedy, tracing('0.0001')],
  ['a share of traces that is no whole number', tracing(0.5), /samplePercent.*must be.*integer/, tracing('0.5')],
  ['no objective', slo({}), /at least 1 propert/, slo({ availability: 99 })],
  ['an availability of 100', slo({ availability: 100 }), availabilityRemedy, slo({ availability: '99.9999' })],
  ['an availability of "100"', slo({ availability: '100' }), availabilityRemedy, slo({ availability: '99' })],
  ['an availability below one half', slo({ availability: 49 }), availabilityRemedy, slo({ availability: 50 })],
  ['an availability as a ratio', slo({ availability: '0.999' }), availabilityRemedy, slo({ availability: '99.9' })],
  ['a latency without a unit', latency({ p95: '250' }), latencyRemedy, latency({ p95: '250ms' })],
  ['a latency in minutes', latency({ p99: '1m' }), latencyRemedy, latency({ p99: '60s' })],
  ['a latency of more than a minute', latency({ p50: '60.001s' }), latencyRemedy, latency({ p50: '2.5s' })],
  ['a latency of nothing', latency({ p90: '0ms' }), latencyRemedy, latency({ p90: '1ms' })],
  [
    'two latencies',
    latency({ p50: '50ms', p95: '250ms' }),
    /latency takes exactly one of p50, p90, p95 and p99; keep one/,
    latency({ p50: '50ms' }),
  ],
  ['a latency without a share', latency({}), /latency takes exactly one of/, latency({ p99: '1s' })],
  [
    'objectives without metrics',
    observability({ slo: { availability: 99 }, metrics: { enabled: false } }),
    /slo is counted from the metrics of the service, and observability\.metrics\.enabled is false: remove one/,
    observability({ slo: { availability: 99 }, metrics: { enabled: true } }),
  ],
  [
    'objectives where nobody knows the port of the metrics',
    { ...slo({ availability: 99 }), ports: admin },
    /counted from the metrics of the service, and there is no port named http to ask for them: set observability\.metrics/,
    { ...observability({ slo: { availability: 99 }, metrics: {} }), ports: admin },
  ],
];
