import { stringify } from 'yaml';
import { type Group, ruleFile } from './alert.ts';
import { leading } from './operator/leading.ts';
import { memory } from './operator/memory.ts';
import { requests } from './operator/requests.ts';
import { work } from './operator/work.ts';
import * as failures from './services/failures.ts';
import * as messages from './services/messages.ts';
import * as resources from './services/resources.ts';
import * as running from './services/running.ts';
import * as budget from './slo/budget.ts';
import * as burn from './slo/burn.ts';
import * as windows from './slo/windows.ts';
import * as telemetry from './telemetry/telemetry.ts';

/** The alerts of the platform, and what they are judged by: a group for each of its parts. */
export const groups: readonly Group[] = [
  { name: 'operator', alerts: [...leading, ...memory, ...work, ...requests] },
  {
    name: 'services',
    recordings: running.recordings,
    alerts: [...running.alerts, ...failures.alerts, ...messages.alerts, ...resources.alerts],
  },
  { name: 'slo', recordings: windows.recordings, alerts: burn.alerts },
  { name: 'budget', interval: budget.budgetEvery, recordings: budget.recordings, alerts: budget.alerts },
  { name: 'telemetry', alerts: telemetry.alerts },
];

/** The files of the chart that hold them, by their path from the root of the repository; `faster` as for a rule file. */
export function alertFiles(faster = 1): Readonly<Record<string, string>> {
  const head = '# Generated from dashboards/alerts by `npm run generate`; do not edit.\n';
  return Object.fromEntries(
    groups.map((group) => [
      `charts/microservice-platform/alerts/${group.name}.yaml`,
      head + stringify(ruleFile(group, faster), { lineWidth: 0 }),
    ]),
  );
}
