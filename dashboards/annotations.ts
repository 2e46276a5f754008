import type { AnnotationQuery } from '@grafana/schema';
import { metrics } from './sources.ts';

const chosen = 'job="microservices",namespace="$namespace",service="$service"';

/** The ReplicaSets whose pods answer, by the hash in the names of their pods. */
const revisions = (offset = '') =>
  `group by (revision) (label_replace(up{${chosen}}${offset}, "revision", "$1", "pod", "$service-([a-z0-9]+)-[a-z0-9]+"))`;

/**
 * A minute from the first answer of another ReplicaSet on: a rollout, of an image or of settings. A pod more, or one that
 * restarts, is none.
 */
export const rollouts = annotation('Rollouts', 'blue', {
  expr: `${revisions()} unless ${revisions(' offset 1m')}`,
  titleFormat: 'Rollout of $service',
  textFormat: 'pods of the ReplicaSet {{revision}}',
});

/** While a fault runs that somebody asked for. */
export const faults = annotation('Faults on demand', 'orange', {
  expr: `max by (pod) (faults_active{${chosen}}) > 0`,
  titleFormat: 'Fault in $service',
  textFormat: '{{pod}}',
});

function annotation(
  name: string,
  iconColor: string,
  query: { readonly expr: string; readonly titleFormat: string; readonly textFormat: string },
): AnnotationQuery {
  return { name, iconColor, enable: true, hide: false, datasource: metrics, ...query, step: '15s' } as AnnotationQuery;
}
