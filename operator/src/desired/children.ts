import type { Microservice } from '../api/microservice.generated.ts';
import type { Manifest } from '../api/object.ts';
import { autoscaler } from './autoscaler.ts';
import { deployment } from './deployment.ts';
import { withHash } from './hash.ts';
import { service } from './service.ts';

/** Everything a Microservice owns. A new child is added here and nowhere else. */
export function desiredChildren(ms: Microservice): readonly Manifest[] {
  const { ports, autoscaling } = ms.spec;
  return [
    deployment(ms),
    ...(ports?.length ? [service(ms, ports)] : []),
    ...(autoscaling ? [autoscaler(ms, autoscaling)] : []),
  ].map(withHash);
}
