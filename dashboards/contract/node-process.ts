import { counter, gauge, histogram, type Signals } from './signal.ts';

/** What every program on Node tells of its process. */
export const nodeProcess: Signals = {
  metrics: [
    counter('process_cpu_seconds_total', [], 'CPU time, user and system.'),
    counter('process_cpu_user_seconds_total', [], 'CPU time in the program.'),
    counter('process_cpu_system_seconds_total', [], 'CPU time in the kernel.'),
    gauge('process_start_time_seconds', [], 'When the process started, as a Unix time.'),
    gauge('process_resident_memory_bytes', [], 'Resident memory: what the memory limit is compared with.'),
    gauge('process_virtual_memory_bytes', [], 'Virtual memory.'),
    gauge('process_heap_bytes', [], 'Size of the data segment.'),
    gauge('process_open_fds', [], 'Open file descriptors.'),
    gauge('process_max_fds', [], 'How many there may be.'),
    ...['', 'min_', 'max_', 'mean_', 'stddev_', 'p50_', 'p90_', 'p99_'].map((part) =>
      gauge(`nodejs_eventloop_lag_${part}seconds`, [], 'How late timers run.'),
    ),
    ...['handles', 'requests', 'resources'].flatMap((what) => [
      gauge(`nodejs_active_${what}`, ['type'], `Active ${what} of libuv, by type.`, { after: `there are ${what}` }),
      gauge(`nodejs_active_${what}_total`, [], `Active ${what} of libuv.`),
    ]),
    gauge('nodejs_heap_size_total_bytes', [], 'Size of the heap.'),
    gauge('nodejs_heap_size_used_bytes', [], 'What of the heap is in use.'),
    gauge('nodejs_external_memory_bytes', [], 'Memory of buffers outside of the heap.'),
    ...['total', 'used', 'available'].map((part) =>
      gauge(`nodejs_heap_space_size_${part}_bytes`, ['space'], 'The heap by space.'),
    ),
    gauge('nodejs_version_info', ['version', 'major', 'minor', 'patch'], 'The version of Node, as labels.'),
    histogram('nodejs_gc_duration_seconds', ['kind'], 'Pauses of the garbage collector, by kind.', {
      after: 'garbage was collected',
    }),
  ],
};
