import { microserviceLabel } from '../api/labels.ts';
import { connectionOf } from '../cluster/connection.ts';
import { Reflector } from '../cluster/reflector.ts';
import { pods, readLog } from '../cluster/resource.ts';
import { type Change, Store, trimmedPod } from '../cluster/store.ts';
import { Transport } from '../cluster/transport.ts';
import { Watched } from '../cluster/watched.ts';
import { serveHttp } from '../support/http.ts';
import { openLog } from '../support/log.ts';
import { Backlog } from './backlog.ts';
import { Collector } from './collector.ts';
import { readConfig } from './config.ts';
import { Loki } from './loki.ts';
import { observeSources, openMetrics } from './metrics.ts';
import { Sender } from './sender.ts';

/** How long a stopping collector sends what waits. What is left, the next one reads again. */
const drainMs = 8_000;
/** Each watch does something at least every 90 s: one that does not is stuck. */
const stuckMs = 180_000;
const mebibyte = 1024 * 1024;

/** The configuration and the process. */
const config = readConfig(process.env);
const log = openLog(config.logLevel, 'log-collector');
const metrics = openMetrics();
const stopped = Promise.withResolvers<NodeJS.Signals>();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopped.resolve(signal));
let stopping = false;

/** From here to Loki. */
const backlog = new Backlog({ bytes: config.backlogBytes, streamBytes: 2 * mebibyte, batchBytes: mebibyte / 2 });
const loki = new Loki(config.loki);
const sender = new Sender({
  backlog,
  loki,
  log,
  onSent: (lines) => metrics.linesSent.inc(lines),
  onDropped: (lines, reason) => metrics.linesDropped.inc({ reason }, lines),
  onPush: (outcome) => metrics.pushes.inc({ outcome }),
});

/** From the containers to here. */
const transport = new Transport(await connectionOf(config), {
  connections: 2,
  userAgent: 'microservice-platform-log-collector',
});
const since = new Date(Date.now() - config.lookbackMs);
const collector = new Collector({
  backlog,
  since,
  resume: (stream, signal) => loki.positionOf(stream, since, signal),
  open: (pod, options) => readLog(transport, pod, options),
  log,
  onLines: (read, cut) => {
    metrics.linesRead.inc(read);
    metrics.linesCut.inc(cut);
  },
  onStranger: () => metrics.linesDropped.inc({ reason: 'not_a_log' }),
  onMissed: () => metrics.runsMissed.inc(),
});

/** The pods of Microservices. */
const watched = new Watched(
  new Map(
    (config.namespaces ?? [undefined]).map((namespace) => {
      const store = new Store();
      const reflector = new Reflector({
        transport,
        resource: pods,
        namespace,
        labelSelector: microserviceLabel,
        trim: trimmedPod,
        store,
        log,
        onChange: (change: Change) => collector.receive(change),
        onRestart: (reason) => metrics.watchRestarts.inc({ reason }),
      });
      return [namespace, { store, reflector }] as const;
    }),
  ),
);

/** What can be seen from outside. That Loki is away makes nothing here unready: a new pod would not bring it back. */
observeSources(metrics, {
  streamsOpen: () => collector.open,
  containers: () => collector.followed,
  backlogBytes: () => backlog.bytes,
  lagSeconds: () => (backlog.oldest === undefined ? 0 : Math.max(0, Date.now() / 1000 - Number(backlog.oldest) / 1e9)),
});
const http = await serveHttp({
  port: config.httpPort,
  unhealthy: () => (watched.idleMs > stuckMs ? 'the watch of pods is stuck' : undefined),
  unready: () => {
    if (stopping) return 'stopping';
    return watched.synced ? undefined : 'the pods are not known yet';
  },
  metrics: metrics.registry,
});
log.info({ port: http.port, node: process.version }, 'log collector started');

sender.start();
watched.start();

/** The end, in reverse. */
const signal = await stopped.promise;
stopping = true;
log.info({ signal }, 'stopping');
await watched.stop();
await collector.stop();
const sent = await sender.stop(drainMs);
if (!sent)
  log.warn({ ms: drainMs, bytes: backlog.bytes }, 'some lines were not sent; the next collector reads them again');
await Promise.all([loki.close(), transport.close(1_000), http.close()]);
log.info('stopped');
process.exitCode = 0;
