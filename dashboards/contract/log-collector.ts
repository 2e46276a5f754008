import { complaint, counter, debug, error, gauge, info, type Signals, usual, warn } from './signal.ts';

const prefix = 'log_collector';

/** What the collector of logs tells. */
export const logCollector: Signals = {
  metrics: [
    counter(`${prefix}_lines_read_total`, [], 'Log lines that were read; those read again after a fault count again.'),
    counter(`${prefix}_lines_sent_total`, [], 'Log lines that Loki has taken.'),
    counter(`${prefix}_lines_dropped_total`, ['reason'], 'Log lines that are not in Loki, by reason.', {
      after: 'a line was lost',
    }),
    counter(`${prefix}_lines_cut_total`, [], 'Log lines of which only the beginning was sent.'),
    counter(`${prefix}_runs_missed_total`, [], 'Runs of containers whose log was gone before it was read.'),
    counter(`${prefix}_pushes_total`, ['outcome'], 'Requests to Loki: taken, refused, later.', {
      after: 'the first push',
    }),
    counter(`${prefix}_watch_restarts_total`, ['reason'], 'Watches of pods opened again after a failure.', {
      after: 'a watch failed',
    }),
    gauge(`${prefix}_streams_open`, [], 'Logs of containers that are being read.'),
    gauge(`${prefix}_containers`, [], 'Containers that are followed.'),
    gauge(`${prefix}_backlog_bytes`, [], 'Bytes of lines that wait for Loki.'),
    gauge(`${prefix}_lag_seconds`, [], 'Age of the oldest line that waits for Loki.'),
  ],
  lines: [
    usual(info('log collector started', ['port', 'node'])),
    info('stopping', ['signal']),
    info('stopped'),
    warn('some lines were not sent; the next collector reads them again', ['ms', 'bytes']),
    debug('the log of a run is gone', ['container', 'reason']),
    ...complaint('log not readable', ['container', 'reason', 'retryInMs']),
    ...complaint('loki does not take lines now, trying again', ['retryInMs', 'reason']),
    ...complaint(
      'loki refuses lines for good: dropped',
      ['namespace', 'service', 'pod', 'lines', 'reason'],
      ['container'],
    ),
    ...complaint('watch interrupted, trying again', ['resource', 'reason', 'retryInMs'], ['namespace', 'remedy']),
    info('loki takes lines again'),
    info('objects listed', ['resource', 'objects'], ['namespace']),
    error('a change could not be passed on', ['err', 'resource']),
  ],
};
