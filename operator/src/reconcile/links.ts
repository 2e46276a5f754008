import type { Links, Microservice, MicroserviceStatus } from '../api/microservice.generated.ts';
import { serviceNameOf } from '../desired/tracing.ts';

/** What Grafana can show: dashboards, traces, logs. */
export const pageSources = ['prometheus', 'jaeger', 'loki'] as const;

export type PageSource = (typeof pageSources)[number];

/** Where people look at what is measured. */
export interface Pages {
  /** The address of Grafana, as people reach it. */
  readonly grafana: string;
  /** The data sources that it has, each with the uid of its type. */
  readonly sources: readonly PageSource[];
}

/** The pages about a Microservice: those that are there, and none where nobody knows a Grafana. */
export function linksStatus(ms: Microservice, pages: Pages | undefined): Pick<MicroserviceStatus, 'links'> {
  return pages === undefined || pages.sources.length === 0 ? {} : { links: linksOf(ms, pages) };
}

function linksOf(ms: Microservice, { grafana, sources }: Pages): Links {
  const { namespace, name } = ms.metadata;
  const root = grafana.replace(/\/+$/, '');
  const traced = sources.includes('jaeger') && ms.spec.observability?.tracing !== undefined;
  const service = serviceNameOf(ms);
  return {
    ...(sources.includes('prometheus') && {
      dashboard: `${root}/d/microservice?var-namespace=${namespace}&var-service=${name}`,
    }),
    ...(traced && { traces: explore(root, 'jaeger', { queryType: 'search', service }) }),
    ...(sources.includes('loki') && {
      logs: explore(root, 'loki', { expr: `{namespace="${namespace}",service="${name}"}` }),
    }),
  };
}

/** Grafana's page for one query of the last hour. */
function explore(root: string, source: PageSource, query: Readonly<Record<string, string>>): string {
  const queries = [{ refId: 'A', datasource: { type: source, uid: source }, ...query }];
  const panes = { a: { datasource: source, queries, range: { from: 'now-1h', to: 'now' } } };
  return `${root}/explore?schemaVersion=1&panes=${encodeURIComponent(JSON.stringify(panes))}`;
}
