import type { Microservice } from '../api/microservice.generated.ts';
import type { Manifest } from '../api/object.ts';
import { autoscaler } from './autoscaler.ts';
import { configMap } from './config-map.ts';
import { deployment } from './deployment.ts';
import { disruptionBudget } from './disruption-budget.ts';
import { withHash } from './hash.ts';
import { autoscalingOf } from './replicas.ts';
import { service } from './service.ts';
import { serviceAccount } from './service-account.ts';
import type { Surroundings } from './surroundings.ts';

const alone: Surroundings = { serviceTypes: ['ClusterIP'] };

/** Everything a Microservice owns. A new child is added here and nowhere else. */
export function desiredChildren(ms: Microservice, surroundings: Surroundings = alone): readonly Manifest[] {
  const { ports, config, serviceAccount: account } = ms.spec;
  const autoscaling = autoscalingOf(ms);
  return [
    deployment(ms, surroundings),
    ...(ports?.length ? [service(ms, ports, surroundings.serviceTypes)] : []),
    ...(autoscaling ? [autoscaler(ms, autoscaling)] : []),
    disruptionBudget(ms),
    ...(account?.name === undefined ? [serviceAccount(ms)] : []),
    ...(config ? [configMap(ms, config)] : []),
  ].map(withHash);
}
