import type { Row } from '../dashboard.ts';
import { searchTraces } from '../links.ts';
import { lines } from '../panel.ts';
import { inFlight, perSecond } from '../queries.ts';
import { chosen, ofJob, which } from './chosen.ts';

const links = [searchTraces('${service}')];
const legend = '{{pod}}';

// What a process says of itself, not what the kubelet says of its container: that would need the right to read the metrics
// of every node, and its view of every pod in the cluster, for a picture that is nearly the same. What the pod asked for and
// may take is known to neither; it is in the Microservice.
/** What the service costs, and how near it is to its limits. */
export const saturation: Row = {
  title: 'Use and saturation, a line for each pod',
  panels: [
    lines({
      title: 'CPU',
      description:
        'Cores in use. Compare with spec.resources of the Microservice; one Node process makes use of little more than one.',
      unit: 'none',
      queries: [{ expr: `rate(process_cpu_seconds_total{${ofJob}}[$__rate_interval])`, legend }],
      links,
      width: 6,
    }),
    lines({
      title: 'Memory',
      description: 'Resident memory. Compare with spec.resources.limits.memory: a pod that reaches it is killed.',
      unit: 'bytes',
      queries: [{ expr: `process_resident_memory_bytes{${ofJob}}`, legend }],
      links,
      width: 6,
    }),
    lines({
      title: 'Event loop, 99 %',
      description: 'How late timers run: above a tenth of a second the process is too busy to answer in time.',
      unit: 's',
      queries: [{ expr: `nodejs_eventloop_lag_p99_seconds{${ofJob}}`, legend }],
      links,
      width: 6,
    }),
    lines({
      title: 'Event loop, busy',
      description: 'Share of the time in which the event loop had something to do: near 1 there is no room left.',
      unit: 'percentunit',
      queries: [{ expr: `nodejs_eventloop_utilization{${ofJob}}`, legend }],
      links,
      width: 6,
    }),
    lines({
      title: 'Garbage collection',
      description: 'Share of the time in which the process stands still for the garbage collector.',
      unit: 'percentunit',
      queries: [{ expr: perSecond('nodejs_gc_duration_seconds_sum', 'pod', chosen), legend }],
      links,
      width: 6,
    }),
    lines({
      title: 'Heap in use',
      description: 'What grows and is never given back is a leak.',
      unit: 'bytes',
      queries: [{ expr: `nodejs_heap_size_used_bytes{${ofJob}}`, legend }],
      links,
      width: 6,
    }),
    lines({
      title: 'In flight',
      description: 'Requests in progress, on average: rate times mean duration.',
      unit: 'none',
      queries: [{ expr: inFlight('pod', which), legend }],
      links,
      width: 6,
    }),
    lines({
      title: 'Open resources',
      description: 'Sockets, timers and files that the process holds, and its file descriptors.',
      unit: 'none',
      queries: [
        { expr: `nodejs_active_resources_total{${ofJob}}`, legend: 'resources, {{pod}}' },
        { expr: `process_open_fds{${ofJob}}`, legend: 'descriptors, {{pod}}' },
      ],
      links,
      width: 6,
    }),
    lines({
      title: 'Connections to the database',
      description: 'How many are used and idle, and how many there may be at each pod.',
      unit: 'none',
      queries: [
        { expr: `db_pool_connections{${ofJob}}`, legend: '{{state}}, {{pod}}' },
        { expr: `max by (service) (db_pool_limit{${ofJob}})`, legend: 'limit' },
      ],
      links,
      width: 12,
    }),
    lines({
      title: 'Waiting for the database',
      description:
        'Requests that wait for a connection: more than 0 for long means that the database or the pool is too small.',
      unit: 'none',
      queries: [{ expr: `db_pool_waiting{${ofJob}}`, legend }],
      links,
      width: 12,
    }),
  ],
};
