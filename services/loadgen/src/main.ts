import { setTimeout as sleep } from 'node:timers/promises';
import { serve, service, startSettings } from '@microservice-platform/common';
import { prepareCast } from './cast.ts';
import { loadgenConfig } from './config.ts';
import { gateway } from './gateway.ts';
import { runLoad } from './load.ts';
import { type Session, startSession } from './session.ts';
import { tally } from './tally.ts';
import type { Cast } from './traffic.ts';

const settings = await startSettings(process, loadgenConfig);
const config = settings.values;
const app = service({
  name: 'loadgen',
  version: config.version,
  logLevel: config.logLevel,
  faultsToken: config.faultsToken,
  checks: {}, // a shop that fails is what it is here to see
});
settings.follow(app);
const shop = gateway(config.gatewayUrl, config.maxInFlight);
const counts = tally(app.metrics.registry);

const stopping = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort());
const finished = Promise.withResolvers<void>();
app.addHook('preClose', () => finished.promise);

let cast: Cast = { userIds: [], productIds: [] };
let session: Session | undefined;
await serve(app, {
  host: config.serverHost,
  port: config.serverPort,
  drainMs: config.drainMs,
  prepare: async () => {
    const prepared = await prepareCast(shop, (err) => app.log.warn({ err }, 'waiting for the shop'));
    cast = prepared.cast;
    session = await startSession(shop, prepared.customer, (err) => app.log.warn({ err }, 'the session is not renewed'));
  },
  onClose: [async () => session?.close(), shop.close],
});

const { rate, seed, durationSeconds, maxInFlight } = config;
const count = durationSeconds === 0 ? Number.POSITIVE_INFINITY : rate * durationSeconds;
const run = crypto.randomUUID().slice(0, 8);
app.log.info({ run, rate, seed, duration_s: durationSeconds }, 'load begins');
await runLoad(
  { rate, count, seed, run, cast, maxInFlight, signal: stopping.signal },
  {
    shop,
    authorization: () => session?.authorization() ?? '',
    tally: counts,
    clock: { now: () => performance.now(), sleep: (ms) => sleep(ms) },
    onFailure: (failure) => app.log.warn(failure, 'request failed'),
  },
);
app.log.info({ run, rate, seed, ...counts.summary() }, 'summary');
finished.resolve();
if (!stopping.signal.aborted) process.kill(process.pid, 'SIGTERM'); // what is done ends like what is stopped
