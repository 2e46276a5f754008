import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** What the metrics ask for at the moment when they are read. */
export interface Sources {
  /** Logs that are being read. */
  readonly streamsOpen: () => number;
  /** Containers that are followed. */
  readonly containers: () => number;
  readonly backlogBytes: () => number;
  /** Seconds since the oldest line that waits was written; 0 when none waits. */
  readonly lagSeconds: () => number;
}

const prefix = 'log_collector';

export type Metrics = ReturnType<typeof openMetrics>;

/** The metrics of the log collector, names and help in one list, with those of its process. */
export function openMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    linesRead: new Counter({
      name: `${prefix}_lines_read_total`,
      help: 'Lines read from logs of containers; what is read again after a fault counts again.',
      registers,
    }),
    linesSent: new Counter({
      name: `${prefix}_lines_sent_total`,
      help: 'Lines that Loki took; it keeps one of those that are sent again.',
      registers,
    }),
    linesDropped: new Counter({
      name: `${prefix}_lines_dropped_total`,
      help: 'Lines that are not in Loki, by why: too_old, too_new, too_long, other (Loki refuses them), not_a_log (words of the node, not of a container).',
      labelNames: ['reason'] as const,
      registers,
    }),
    linesCut: new Counter({
      name: `${prefix}_lines_cut_total`,
      help: 'Lines of which only the beginning was sent, because they were too long.',
      registers,
    }),
    runsMissed: new Counter({
      name: `${prefix}_runs_missed_total`,
      help: 'Runs of containers whose log was gone before the end of it was read.',
      registers,
    }),
    pushes: new Counter({
      name: `${prefix}_pushes_total`,
      help: 'Requests to Loki, by outcome: taken, refused (in part at least), later (to be tried again).',
      labelNames: ['outcome'] as const,
      registers,
    }),
    watchRestarts: new Counter({
      name: `${prefix}_watch_restarts_total`,
      help: 'Watches of pods opened again after a failure.',
      labelNames: ['reason'] as const,
      registers,
    }),
  };
}

/** Adds the metrics that are read from the parts themselves. */
export function observeSources({ registry }: Metrics, sources: Sources): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `${prefix}_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge('streams_open', 'Logs of containers that are being read.', sources.streamsOpen);
  gauge('containers', 'Containers that are followed.', sources.containers);
  gauge('backlog_bytes', 'Bytes of lines that wait for Loki.', sources.backlogBytes);
  gauge('lag_seconds', 'Age of the oldest line that waits for Loki; 0 when none does.', sources.lagSeconds);
}
