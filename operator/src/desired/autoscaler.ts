import type { V2HorizontalPodAutoscalerSpec, V2HPAScalingRules, V2MetricSpec } from '@kubernetes/client-node';
import type { Autoscaling, Metric, Microservice, ScalingRules } from '../api/microservice.generated.ts';
import type { Manifest } from '../api/object.ts';
import { copyOf } from './copy.ts';
import { childMetadata } from './metadata.ts';
import { fewestReplicas } from './replicas.ts';

/** The HorizontalPodAutoscaler of the Deployment. */
export function autoscaler(ms: Microservice, autoscaling: Autoscaling): Manifest {
  const { maxReplicas, cpu, memory, requestsPerSecond, metrics = [], behavior } = autoscaling;
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: childMetadata(ms),
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: ms.metadata.name },
      minReplicas: fewestReplicas(autoscaling),
      maxReplicas,
      metrics: [
        ...(cpu === undefined ? [] : [utilization('cpu', cpu)]),
        ...(memory === undefined ? [] : [utilization('memory', memory)]),
        ...(requestsPerSecond === undefined ? [] : [requestRate(requestsPerSecond)]),
        ...metrics.map(metric),
      ],
      behavior: {
        scaleUp: rules(behavior?.scaleUp, defaultScaleUp),
        scaleDown: rules(behavior?.scaleDown, defaultScaleDown),
      },
    } satisfies V2HorizontalPodAutoscalerSpec,
  };
}

function utilization(name: 'cpu' | 'memory', averageUtilization: number): V2MetricSpec {
  return { type: 'Resource', resource: { name, target: { type: 'Utilization', averageUtilization } } };
}

/** Requests a second and pod, by the name that the platform's adapter gives them in the custom metrics API. */
function requestRate(perSecond: number | string): V2MetricSpec {
  return {
    type: 'Pods',
    pods: {
      metric: { name: 'http_requests_per_second' },
      target: { type: 'AverageValue', averageValue: String(perSecond) },
    },
  };
}

/** A metric as it was written: the shape is that of autoscaling/v2, amounts as text. */
function metric(asked: Metric): V2MetricSpec {
  return copyOf(JSON.parse(JSON.stringify(asked, (key, value) => (isAmount(key, value) ? String(value) : value))));
}

function isAmount(key: string, value: unknown): boolean {
  return (key === 'averageValue' || key === 'value') && typeof value === 'number';
}

/** The defaults of Kubernetes, stated, so that taking a rule away brings them back. */
const defaultScaleUp: Required<ScalingRules> = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
};
const defaultScaleDown: Required<ScalingRules> = {
  stabilizationWindowSeconds: 300,
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
};

function rules(asked: ScalingRules = {}, otherwise: Required<ScalingRules>): V2HPAScalingRules {
  const { policies, ...rest } = { ...otherwise, ...asked };
  return { ...rest, policies: policies.map((policy) => ({ ...policy })) };
}
