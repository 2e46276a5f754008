import type { V1ServiceSpec } from '@kubernetes/client-node';
import type { Microservice, Port } from '../api/microservice.generated.ts';
import type { Manifest } from '../api/object.ts';
import { childMetadata, selectorLabels } from './metadata.ts';

/** The address of the pods inside the cluster. Ports lead to the pods' ports by name, so that their numbers may change. */
export function service(ms: Microservice, ports: readonly Port[]): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: childMetadata(ms),
    spec: {
      type: 'ClusterIP',
      selector: selectorLabels(ms),
      ports: ports.map((port) => ({
        name: port.name,
        port: servicePort(port),
        targetPort: port.name,
        protocol: port.protocol ?? 'TCP',
        ...(port.appProtocol && { appProtocol: port.appProtocol }),
      })),
    } satisfies V1ServiceSpec,
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
