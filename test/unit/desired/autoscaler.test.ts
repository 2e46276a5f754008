import type { V2HorizontalPodAutoscalerSpec } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import type { Autoscaling } from '../../../operator/src/api/microservice.generated.ts';
import { autoscaler } from '../../../operator/src/desired/autoscaler.ts';
import { microservice } from '../../support/microservice.ts';

const specOf = (autoscaling: Autoscaling) =>
  autoscaler(microservice(), autoscaling).spec as V2HorizontalPodAutoscalerSpec;

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
