import type { Row } from '../dashboard.ts';
import { chosenPlace, searchLogs, searchTraces, toSlo } from '../links.ts';
import { lines, number, readiness } from '../panel.ts';
import { duration, errorRatio, firing, rate, ready } from '../queries.ts';
import { chosen, ofJob, which } from './chosen.ts';

const links = [searchTraces('${service}'), searchLogs(chosenPlace)];

/** Whether the service is well now. */
export const now: Row = {
  title: 'Now',
  panels: [
    number({
      title: 'Ready',
      description: 'Whether the Microservice is Ready; where it is not, its status says why.',
      words: readiness,
      unit: 'none',
      queries: [{ expr: ready('exported_namespace="$namespace",name="$service"') }],
      links,
      width: 3,
    }),
    number({
      title: 'Pods that answer',
      description: 'Pods whose metrics can be read.',
      unit: 'none',
      queries: [{ expr: `sum(up{${ofJob}})` }],
      links,
      width: 3,
    }),
    number({
      title: 'Requests',
      description: 'Answered requests a second, without those for health and metrics.',
      unit: 'reqps',
      queries: [{ expr: `sum(${rate('service', which)}) or vector(0)` }],
      links,
      width: 4,
    }),
    number(
      {
        title: 'Errors',
        description: 'Share of the requests that were answered with 500 or above.',
        unit: 'percentunit',
        queries: [{ expr: `max(${errorRatio('service', which)}) or vector(0)` }],
        links,
        width: 4,
      },
      0.01,
    ),
    number({
      title: 'Duration, 95 %',
      description: 'Time within which 95 of 100 requests were answered.',
      unit: 's',
      queries: [{ expr: duration(0.95, '', which) }],
      links,
      width: 4,
    }),
    number({
      title: 'Error budget left',
      description: 'The least that is left of the error budget of one of its service levels; red when it is used up.',
      unit: 'percentunit',
      queries: [{ expr: `min(slo:error_budget:remaining_ratio{${chosen}})` }],
      links: [toSlo(chosenPlace)],
      width: 3,
      goodFrom: 0.000001,
    }),
    number(
      {
        title: 'Alerts',
        description: 'Alerts of this service that fire now. docs/runbooks.md says what to do.',
        unit: 'none',
        queries: [{ expr: `count(${firing(`,${chosen}`)}) or vector(0)` }],
        links: [toSlo(chosenPlace)],
        width: 3,
      },
      1,
    ),
    lines({
      title: 'Pods',
      description: 'Pods that answer, and all that there are: what its autoscaler or a rollout made of them.',
      unit: 'none',
      queries: [
        { expr: `sum by (service) (up{${ofJob}})`, legend: 'answer' },
        { expr: `count by (service) (up{${ofJob}})`, legend: 'all' },
      ],
      links,
      width: 24,
      height: 6,
    }),
  ],
};
