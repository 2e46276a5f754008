import { stringify } from 'yaml';
import { type Group, ruleFile } from './alert.ts';
import { leading } from './operator/leading.ts';
import { memory } from './operator/memory.ts';
import { requests } from './operator/requests.ts';
import { work } from './operator/work.ts';

/** The alerts of the platform, a group for each of its parts. */
export const groups: readonly Group[] = [{ name: 'operator', alerts: [...leading, ...memory, ...work, ...requests] }];

/** The files of the chart that hold them, by their path from the root of the repository. */
export function alertFiles(): Readonly<Record<string, string>> {
  const head = '# Generated from dashboards/alerts by `npm run generate`; do not edit.\n';
  return Object.fromEntries(
    groups.map((group) => [
      `charts/microservice-platform/alerts/${group.name}.yaml`,
      head + stringify(ruleFile(group), { lineWidth: 0 }),
    ]),
  );
}
