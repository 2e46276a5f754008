import type { V1ServiceSpec } from '@kubernetes/client-node';
import type { Microservice, Port, ServiceOptions } from '../api/microservice.generated.ts';
import type { Manifest } from '../api/object.ts';
import { childMetadata, selectorLabels } from './metadata.ts';

export type ServiceType = NonNullable<ServiceOptions['type']>;

/** What stands for "no address of its own" in a Service. */
export const headlessIp = 'None';

/** The address of the pods. Ports lead to the pods' ports by name, so that their numbers may change. */
export function service(ms: Microservice, ports: readonly Port[], allowed: readonly ServiceType[]): Manifest {
  const options = ms.spec.service ?? {};
  const { headless, annotations, sessionAffinity = 'None', sessionAffinityConfig } = options;
  const type = serviceType(ms, allowed);
  const timeoutSeconds = sessionAffinityConfig?.clientIP.timeoutSeconds ?? 10_800;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: childMetadata(ms, annotations),
    spec: {
      type,
      ...(headless && { clusterIP: headlessIp }),
      selector: selectorLabels(ms),
      sessionAffinity,
      ...(sessionAffinity === 'ClientIP' && { sessionAffinityConfig: { clientIP: { timeoutSeconds } } }),
      ...(type !== 'ClusterIP' && outside(options, type)),
      ports: ports.map((port) => ({
        name: port.name,
        port: servicePort(port),
        targetPort: port.name,
        protocol: port.protocol ?? 'TCP',
        ...(port.appProtocol && { appProtocol: port.appProtocol }),
        ...(type !== 'ClusterIP' && port.nodePort !== undefined && { nodePort: port.nodePort }),
      })),
    } satisfies V1ServiceSpec,
  };
}

/** The type that is asked for, where it is allowed; what is not allowed is reachable inside the cluster only. */
function serviceType({ spec }: Microservice, allowed: readonly ServiceType[]): ServiceType {
  const type = spec.service?.type ?? 'ClusterIP';
  return allowed.includes(type) ? type : 'ClusterIP';
}

function outside(options: ServiceOptions, type: ServiceType): Partial<V1ServiceSpec> {
  const { externalTrafficPolicy = 'Cluster', loadBalancerClass, loadBalancerSourceRanges } = options;
  return {
    externalTrafficPolicy,
    ...(type === 'LoadBalancer' && {
      ...(loadBalancerClass && { loadBalancerClass }),
      ...(loadBalancerSourceRanges?.length && { loadBalancerSourceRanges: [...loadBalancerSourceRanges] }),
    }),
  };
}

/** The number under which the Service offers a port. */
export function servicePort(port: Port): number {
  return port.servicePort ?? port.containerPort;
}

/** The address of the first port that speaks HTTP, by its appProtocol or else by its name; undefined without one. */
export function serviceUrl(ms: Microservice): string | undefined {
  const { name, namespace } = ms.metadata;
  const port = ms.spec.ports?.find((candidate) => schemeOf(candidate) !== undefined);
  return port && `${schemeOf(port)}://${name}.${namespace}.svc:${servicePort(port)}`;
}

function schemeOf({ name, appProtocol = name, protocol = 'TCP' }: Port): string | undefined {
  return protocol === 'TCP' ? /^https?(?=$|-)/.exec(appProtocol)?.[0] : undefined;
}
