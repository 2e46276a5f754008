import { choice } from '../dashboard.ts';

/** The service that is chosen at the top, as matchers. */
export const chosen = 'namespace="$namespace",service="$service"';
/** The same, after others. */
export const which = `,${chosen}`;
/** The same, with the job that all Microservices are of. */
export const ofJob = `job="microservices",${chosen}`;

/** The variables of a dashboard that is about one service. */
export const aService = [
  choice('namespace', 'Namespace', 'label_values(up{job="microservices"}, namespace)'),
  choice('service', 'Service', 'label_values(up{job="microservices", namespace="$namespace"}, service)'),
];
