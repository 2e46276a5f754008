import type { Microservice } from '../api/microservice.generated.ts';
import type { KubeObject } from '../api/object.ts';
import { autoscalingOf } from '../desired/replicas.ts';
import type { Finding } from './cause.ts';
import { elapsedMs } from './pod-status.ts';

/** For so long an autoscaler lacks figures without a word: those of pods that have just started take up to a minute. */
const quietMs = 90_000;

/** Why the number of pods does not follow what it should, by the word of the autoscaler. */
export function autoscalerCause(ms: Microservice, autoscaler: KubeObject | undefined, now: Date): Finding {
  const autoscaling = autoscalingOf(ms);
  const active = autoscaler && scalingActive(autoscaler);
  // Of a Deployment without pods it says the same; what is asked for then is told otherwise.
  if (!autoscaling || active?.status !== 'False' || active.reason === 'ScalingDisabled') return {};
  const lookAgainMs = quietMs - elapsedMs(active.lastTransitionTime, now);
  if (lookAgainMs > 0) return { lookAgainMs };
  const { namespace, name } = ms.metadata;
  const where = `HorizontalPodAutoscaler ${namespace}/${name}`;
  const see = `see \`kubectl describe hpa -n ${namespace} ${name}\``;
  // Its own words hold addresses and times now and then, and would be written again and again: they stay where they are.
  return active.reason === 'FailedGetPodsMetric' && autoscaling.requestsPerSecond !== undefined
    ? {
        cause: {
          reason: 'RequestRateMissing',
          what: 'the autoscaler is not told how many requests a second the pods answer, so their number does not follow',
          where,
          remedy: `have the platform installed with customMetrics.enabled=true; if it is, have the pods count http_requests_total at /metrics of their port http; ${see}`,
          permanent: false,
        },
      }
    : {
        cause: {
          reason: 'MetricsMissing',
          what: 'the autoscaler lacks a figure that it goes by, so the number of pods does not follow',
          where,
          remedy: `have a metrics-server installed, or what serves the metric; ${see}`,
          permanent: false,
        },
      };
}

interface ScalingCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly lastTransitionTime?: string;
}

function scalingActive({ status }: KubeObject): ScalingCondition | undefined {
  const { conditions } = (status ?? {}) as { readonly conditions?: readonly ScalingCondition[] };
  return conditions?.find(({ type }) => type === 'ScalingActive');
}
