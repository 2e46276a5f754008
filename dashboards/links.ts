import { logs, traces } from './sources.ts';

/** A way from what is seen to what explains it. */
export interface Link {
  readonly title: string;
  readonly url: string;
}

/** A service, by values or by the variables that Grafana puts in. */
export interface Place {
  readonly namespace: string;
  readonly service: string;
}

/** The service that is chosen at the top of a dashboard. */
export const chosenPlace: Place = { namespace: '${namespace}', service: '${service}' };
/** The service of the line that was clicked on. */
export const linePlace: Place = { namespace: '${__field.labels.namespace}', service: '${__field.labels.service}' };
/** The service of the row of a table that was clicked on. */
export const rowPlace: Place = { namespace: '${__data.fields.namespace}', service: '${__data.fields.service}' };

export const toService = (place: Place): Link => dashboardOf('This service', 'microservice', place);
export const toSlo = (place: Place): Link => dashboardOf('Its service levels', 'platform-slo', place);
export const toMessaging: Link = { title: 'Messages and orders', url: '/d/platform-messaging?${__url_time_range}' };
export const toGateway: Link = { title: 'The gateway', url: '/d/platform-gateway?${__url_time_range}' };
export const toOperator: Link = { title: 'The operator', url: '/d/platform-operator?${__url_time_range}' };
export const toOverview: Link = { title: 'The overview', url: '/d/platform-overview?${__url_time_range}' };

function dashboardOf(title: string, uid: string, { namespace, service }: Place): Link {
  return { title, url: `/d/${uid}?var-namespace=${namespace}&var-service=${service}&\${__url_time_range}` };
}

/** Where Grafana's Explore shows the traces of a service, as Jaeger finds them for the time on the screen. */
export function searchTraces(service: string): Link {
  const query = { refId: 'A', datasource: traces, queryType: 'search', service, limit: 20 };
  return { title: `Traces of ${service}`, url: explore('traces', traces.uid, query) };
}

/** Where Grafana's Explore shows the log of a service for the time on the screen. */
export function searchLogs({ namespace, service }: Place): Link {
  const query = { refId: 'A', datasource: logs, queryType: 'range', expr: logsOf({ namespace, service }) };
  return { title: `Logs of ${service}`, url: explore('logs', logs.uid, query) };
}

/** The log of a service, as Loki finds it. */
export const logsOf = ({ namespace, service }: Place) => `{namespace="${namespace}", service="${service}"}`;

function explore(pane: string, datasource: string, query: object): string {
  const content = { datasource, queries: [query], range: { from: '${__from}', to: '${__to}' } };
  const panes = encodeURIComponent(JSON.stringify({ [pane]: content }));
  // Grafana puts in its variables before a browser reads the address, so they stay as they are.
  const kept = panes.replace(/%24%7B(.*?)%7D/g, (_, name: string) => `\${${decodeURIComponent(name)}}`);
  return `/explore?schemaVersion=1&panes=${kept}`;
}
