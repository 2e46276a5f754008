import type { KubeObject } from './api/object.ts';
import { connectionOf } from './cluster/connection.ts';
import { ClusterError } from './cluster/errors.ts';
import { KubeCluster } from './cluster/kube-cluster.ts';
import { idOf, keyOf } from './cluster/store.ts';
import { Transport } from './cluster/transport.ts';
import { readConfig } from './config.ts';
import { Controller } from './controller/controller.ts';
import { WorkQueue } from './controller/queue.ts';
import { reconcile } from './reconcile/reconcile.ts';
import { backoff } from './support/backoff.ts';
import { serveHttp } from './support/http.ts';
import { openLog } from './support/log.ts';
import { observeSources, openMetrics } from './support/metrics.ts';

/** How long a stopping operator waits for the Microservices that it has in hand. */
const drainMs = 10_000;
/** Each watch does something at least every 90 s (an event, a bookmark, a failure): one that does not is stuck. */
const stuckMs = 180_000;

/** The configuration and the process. */
const config = readConfig(process.env);
const log = openLog(config.logLevel);
const metrics = openMetrics();
const stopped = Promise.withResolvers<NodeJS.Signals>();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopped.resolve(signal));
let stopping = false;

/** The way to the API server. */
const transport = new Transport(await connectionOf(config), {
  observe: (verb, kind, code, tookMs) => {
    metrics.apiRequests.inc({ verb, kind, code });
    if (verb !== 'watch') metrics.apiRequestDuration.observe({ verb }, tookMs / 1000);
  },
});

/** What is to be done: the keys of Microservices. */
const queue = new WorkQueue({
  added: () => metrics.queueAdds.inc(),
  taken: (waitedMs) => metrics.queueWait.observe(waitedMs / 1000),
});

/** The cluster, as memory and as a place to write to. Every change asks for work. */
const cluster = new KubeCluster({
  transport,
  log,
  instance: config.instance,
  onChange: (microservice) => queue.add(idOf(microservice)),
  onWatchRestart: (kind, reason) => metrics.watchRestarts.inc({ kind, reason }),
  onEventDropped: () => metrics.eventsDropped.inc(),
});

/** The work. */
const clock = { now: () => new Date() };
const controller = new Controller({
  queue,
  workers: config.concurrency,
  reconcile: (id) => reconcile(keyOf(id), { cluster, clock, log }),
  retryAfterMs,
  onPass: (_, result, tookMs) => {
    metrics.reconciles.inc({ result });
    metrics.reconcileDuration.observe(tookMs / 1000);
  },
  onFailure: (microservice, error, retryInMs) => {
    const keys = { microservice, retryInMs: Math.round(retryInMs) };
    if (error instanceof ClusterError) log.warn({ ...keys, reason: error.message }, 'pass failed');
    else log.error({ ...keys, err: error }, 'pass failed by a fault in the operator');
  },
});

/** What can be seen from outside. */
observeSources(metrics, {
  queueDepth: () => queue.depth,
  queueDelayed: () => queue.delayed,
  microservices: () => [...cluster.microservices()].map(stateOf),
  unsyncedWatches: () => cluster.unsynced.length,
});
const http = await serveHttp({
  port: config.httpPort,
  unhealthy: () => (cluster.longestIdleMs > stuckMs ? 'a watch is stuck' : undefined),
  unready: () => {
    if (stopping) return 'stopping';
    return cluster.unsynced.length > 0 ? `not in memory yet: ${cluster.unsynced.join(', ')}` : undefined;
  },
  metrics: metrics.registry,
});
log.info({ port: http.port, node: process.version }, 'operator started');

/** Work begins when memory is complete: half of the picture would look like children that are missing. */
cluster.start();
const outcome = await Promise.race([cluster.firstSync(), stopped.promise]);
if (outcome === undefined) {
  controller.start();
  log.info({ microservices: [...cluster.microservices()].length }, 'operator ready');
}

/** The end, in reverse. */
const signal = await stopped.promise;
stopping = true;
log.info({ signal }, 'stopping');
await cluster.stop();
const drained = await controller.stop(drainMs);
if (!drained) log.warn({ ms: drainMs }, 'some Microservices were still in hand; the next operator goes on with them');
await transport.close(1_000);
await http.close();
log.info('stopped');
process.exitCode = 0;

/**
 * Milliseconds until a failed key is tried again. Trouble on the way to the API server and conflicts pass by
 * themselves, so they are looked at again soon; what else fails may well fail for long.
 */
function retryAfterMs(error: unknown, failures: number): number {
  const passing = error instanceof ClusterError && (error.kind === 'unavailable' || error.kind === 'conflict');
  const ms = backoff(failures, { baseMs: 5, capMs: passing ? 15_000 : 300_000 });
  return error instanceof ClusterError ? Math.max(ms, error.retryAfterMs ?? 0) : ms;
}

function stateOf({ metadata, status }: KubeObject) {
  const { conditions = [] } = (status ?? {}) as {
    readonly conditions?: readonly { type: string; status: string }[];
  };
  const ready = conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  return { namespace: metadata.namespace, name: metadata.name, ready };
}
