import type { Microservice } from './api/microservice.generated.ts';
import type { KubeObject, ObjectKey } from './api/object.ts';
import { type Budgets, objectivesOf } from './api/objectives.ts';
import { BudgetMemory } from './budgets/budgets.ts';
import { Prometheus } from './budgets/prometheus.ts';
import { connectionOf } from './cluster/connection.ts';
import { ContentKey } from './cluster/content-key.ts';
import { ClusterError } from './cluster/errors.ts';
import { KubeCluster } from './cluster/kube-cluster.ts';
import { idOf, keyOf } from './cluster/store.ts';
import { type RequestObserver, Transport } from './cluster/transport.ts';
import { readConfig } from './config.ts';
import { Allowance } from './controller/allowance.ts';
import { Audit } from './controller/audit.ts';
import { Controller } from './controller/controller.ts';
import { WorkQueue } from './controller/queue.ts';
import { Election } from './election/election.ts';
import { usualTiming } from './election/lease.ts';
import { type Policy, type Repairs, reconcile } from './reconcile/reconcile.ts';
import { backoff } from './support/backoff.ts';
import { serveHttp } from './support/http.ts';
import { openLog } from './support/log.ts';
import { observeSources, openMetrics } from './support/metrics.ts';
import { noTracing, type Tracing } from './support/tracing.ts';

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
const tracing = await openTracing();

/** What is to be done: the keys of Microservices. Nothing, before this operator leads. */
const queue = new WorkQueue({
  added: () => metrics.queueAdds.inc(),
  taken: (waitedMs) => metrics.queueWait.observe(waitedMs / 1000),
});
queue.pause();

/** The ways to the API server: one for what every operator does, and one by which only the leader may change anything. */
const connection = await connectionOf(config);
const observe: RequestObserver = (verb, kind, code, tookMs) => {
  tracing.request(verb, kind, code, tookMs);
  metrics.apiRequests.inc({ verb, kind, code });
  if (verb !== 'watch') metrics.apiRequestDuration.observe({ verb }, tookMs / 1000);
};
const everybodys = new Transport(connection, { observe, connections: 1, deadlineMs: 5_000 });
const leaders = new Transport(connection, { observe, writesUntil: leadsUntil });

/** Who leads: the holder of the lease, or this operator, where there is no lease to hold. */
const election =
  config.lease &&
  new Election({
    transport: everybodys,
    lease: config.lease,
    identity: config.instance,
    timing: usualTiming,
    log,
    onElected: begin,
    onLost: () => queue.pause(),
  });

/** The cluster, as memory and as a place to write to. Every change asks for work. */
const contentKey = config.contentKey && new ContentKey({ transport: everybodys, secret: config.contentKey, log });
const cluster = new KubeCluster({
  transport: leaders,
  log,
  instance: config.instance,
  namespaces: config.namespaces,
  contentKey,
  onChange: (microservice) => queue.add(idOf(microservice)),
  onWatchRestart: (kind, reason) => metrics.watchRestarts.inc({ kind, reason }),
  onEventDropped: () => metrics.eventsDropped.inc(),
});

/** The work. */
const clock = { now: () => new Date() };
const { serviceTypes, rolloutOnSecretChange: readsSecrets, collector, pages } = config;
const policy: Policy = { serviceTypes, readsSecrets, collector, pages };
const allowance = new Allowance({
  burst: 20,
  everyMs: 10_000,
  onRefused: (microservice) => {
    metrics.repairsHeldBack.inc();
    log.warn({ microservice }, 'somebody undoes every repair of a child: repairs are held back');
  },
});
const repairs: Repairs = { take: (key) => allowance.take(idOf(key)) };
/** What is left of error budgets. Passes read memory: nothing waits for Prometheus. */
const prometheus = config.prometheus === undefined ? undefined : new Prometheus(config.prometheus);
const budgets =
  prometheus &&
  new BudgetMemory({
    ask: () => prometheus.budgetsLeft(),
    withObjectives: () =>
      cluster
        .microservices()
        .filter((each) => promisesOf(each).length > 0)
        .map(({ metadata }) => idOf(metadata)),
    leads,
    onChange: (id) => queue.addBehind(id),
    onAnswer: () => metrics.budgetReadings.inc({ outcome: 'answered' }),
    onFailure: (reason, inARow) => {
      metrics.budgetReadings.inc({ outcome: 'failed' });
      log[inARow === 1 ? 'warn' : 'debug']({ reason, inARow }, 'error budgets not read');
    },
    periodMs: config.budgetSeconds * 1000,
  });
const budgetsOf = (key: ObjectKey): Budgets =>
  budgets?.of(idOf(key)) ?? { kind: 'unknown', because: 'not known: the operator has no Prometheus to ask' };

const controller = new Controller({
  queue,
  workers: config.concurrency,
  reconcile: (id) => {
    const { namespace, name } = keyOf(id);
    return tracing.pass(namespace, name, () =>
      reconcile({ namespace, name }, { cluster, clock, policy, repairs, budgets: budgetsOf, log }),
    );
  },
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

const audit = new Audit({ keys, lookAt: (id) => queue.addBehind(id), periodMs: config.auditSeconds * 1000 });

/** What can be seen from outside. */
observeSources(metrics, {
  queueDepth: () => queue.depth,
  queueDelayed: () => queue.delayed,
  microservices: () => cluster.microservices().map(stateOf),
  unsyncedWatches: () => cluster.unsynced.length,
  watchIdleMs: () => cluster.idleMs,
  leads,
  objectives: () => cluster.microservices().flatMap(promisesOf),
});
const http = await serveHttp({
  port: config.httpPort,
  unhealthy: () => {
    const stuck = cluster.idleMs.find(([, ms]) => ms > stuckMs);
    return stuck && `the watch of ${stuck[0]} is stuck`;
  },
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
  audit.start();
  if (election === undefined) begin();
  else election.start();
  log.info({ microservices: keys().length }, 'operator ready');
}

/** The end, in reverse. */
const signal = await stopped.promise;
stopping = true;
log.info({ signal }, 'stopping');
audit.stop();
budgets?.stop();
await cluster.stop();
const drained = await controller.stop(drainMs);
if (!drained) log.warn({ ms: drainMs }, 'some Microservices were still in hand; the next operator goes on with them');
await election?.stop(); // Not before the work is over: the next leader begins at once.
await Promise.all([leaders, everybodys].map((transport) => transport.close(1_000)));
await prometheus?.close();
await tracing.close(2_000);
await http.close();
log.info('stopped');
process.exitCode = 0;

/** Where passes are recorded as traces, if anywhere. */
async function openTracing(): Promise<Tracing> {
  if (config.tracesTo === undefined) return noTracing;
  const { openTracing: open } = await import('./support/telemetry.ts');
  return open({
    endpoint: config.tracesTo,
    instance: config.instance,
    onLost: (spans, reason) => {
      metrics.spansLost.inc(spans);
      log.debug({ spans, reason }, 'spans lost');
    },
  });
}

/** Every Microservice is looked at: what changed before this operator led, nobody told. */
function begin(): void {
  budgets?.begin();
  queue.resume(keys());
}

function keys(): string[] {
  return cluster.microservices().map(({ metadata }) => idOf(metadata));
}

function leads(): boolean {
  return performance.now() < leadsUntil();
}

/** Until when this operator may change anything, on the clock of `performance.now`. */
function leadsUntil(): number {
  return config.lease === undefined ? Number.POSITIVE_INFINITY : (election?.until ?? Number.NEGATIVE_INFINITY);
}

/**
 * Milliseconds until a failed key is tried again. Trouble on the way to the API server and conflicts pass by
 * themselves, so they are looked at again soon; what else fails may well fail for long.
 */
function retryAfterMs(error: unknown, failures: number): number {
  const passing = error instanceof ClusterError && (error.kind === 'unavailable' || error.kind === 'conflict');
  const ms = backoff(failures, { baseMs: 5, capMs: passing ? 15_000 : 300_000 });
  return error instanceof ClusterError ? Math.max(ms, error.retryAfterMs ?? 0) : ms;
}

/** The objectives of a Microservice, as the metrics tell them. */
function promisesOf(microservice: KubeObject) {
  const { namespace, name } = microservice.metadata;
  return objectivesOf(microservice as Microservice).map(({ name: slo, le, ratio }) => ({
    namespace,
    name,
    slo,
    ...(le !== undefined && { le }),
    ratio,
  }));
}

function stateOf({ metadata, status }: KubeObject) {
  const { conditions = [] } = (status ?? {}) as {
    readonly conditions?: readonly { type: string; status: string }[];
  };
  const ready = conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  return { namespace: metadata.namespace, name: metadata.name, ready };
}
