import type { V2HorizontalPodAutoscalerSpec } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import type { Autoscaling } from '../../../operator/src/api/microservice.generated.ts';
import { autoscaler } from '../../../operator/src/desired/autoscaler.ts';
import { microservice } from '../../support/microservice.ts';

const specOf = (autoscaling: Autoscaling) =>
  autoscaler(microservice(), autoscaling).spec as V2HorizontalPodAutoscalerSpec;

const perPod = { type: 'AverageValue', averageValue: 30 } as const;

describe('autoscaler', () => {
  it('scales the Deployment between the bounds, towards the targets', () => {
    expect(specOf({ minReplicas: 2, maxReplicas: 5, cpu: 70, memory: 80 })).toMatchObject({
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'orders' },
      minReplicas: 2,
      maxReplicas: 5,
      metrics: [
        { resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } },
        { resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 80 } } },
      ],
    });
  });

  it.for<[number | string, string]>([
    [100, '100'],
    ['500m', '500m'],
  ])(
    'scales towards %s requests a second of each pod, as the adapter names them',
    ([requestsPerSecond, averageValue]) => {
      const metrics = [{ type: 'Pods' as const, pods: { metric: { name: 'queue_length' }, target: perPod } }];
      expect(specOf({ maxReplicas: 5, cpu: 70, requestsPerSecond, metrics }).metrics).toEqual([
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } },
        {
          type: 'Pods',
          pods: { metric: { name: 'http_requests_per_second' }, target: { type: 'AverageValue', averageValue } },
        },
        {
          type: 'Pods',
          pods: { metric: { name: 'queue_length' }, target: { type: 'AverageValue', averageValue: '30' } },
        },
      ]);
    },
  );

  it('keeps at least one pod unless more are asked for', () => {
    expect(specOf({ maxReplicas: 5, cpu: 70 }).minReplicas).toBe(1);
  });

  it('states the whole behavior: what is asked for over the defaults of Kubernetes', () => {
    const { behavior } = specOf({
      maxReplicas: 5,
      cpu: 70,
      behavior: { scaleDown: { stabilizationWindowSeconds: 0 } },
    });
    expect(behavior).toEqual({
      scaleUp: {
        stabilizationWindowSeconds: 0,
        selectPolicy: 'Max',
        policies: [
          { type: 'Pods', value: 4, periodSeconds: 15 },
          { type: 'Percent', value: 100, periodSeconds: 15 },
        ],
      },
      scaleDown: {
        stabilizationWindowSeconds: 0,
        selectPolicy: 'Max',
        policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
      },
    });
  });
});
