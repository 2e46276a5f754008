import type { Dashboard } from '@grafana/schema';
import { gatewayDashboard } from './gateway.ts';
import { messaging } from './messaging.ts';
import { operatorDashboard } from './operator.ts';
import { overview } from './overview.ts';
import { service } from './service.ts';
import { slo } from './slo.ts';

/** The dashboards of the chart, by the name of their file. */
export const dashboards: Readonly<Record<string, Dashboard>> = {
  'platform-overview': overview,
  microservice: service,
  'platform-slo': slo,
  'platform-messaging': messaging,
  'platform-gateway': gatewayDashboard,
  'platform-operator': operatorDashboard,
};

/** The files of the chart that hold them, by their path from the root of the repository. */
export function dashboardFiles(): Readonly<Record<string, string>> {
  const path = (name: string) => `charts/microservice-platform/dashboards/${name}.json`;
  return Object.fromEntries(
    Object.entries(dashboards).map(([name, it]) => [path(name), `${JSON.stringify(it, undefined, 1)}\n`]),
  );
}
