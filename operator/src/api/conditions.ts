/**
 * The closed list of what a Microservice may say about itself. docs/reference/conditions.md explains each entry
 * at length; a test holds the two together.
 */

export const conditionTypes = {
  Ready: 'Everything that is asked for runs, and runs in the version that is asked for.',
  Reconciling: 'Work goes on, or goes on being tried; present only while that is so.',
  Stalled: 'Nothing will get better by waiting: somebody has to act; present only while that is so.',
  AutoscalingInactive:
    'The autoscaler lacks figures, so the number of pods does not follow them; present only while that is so.',
} as const;

export type ConditionType = keyof typeof conditionTypes;

export const reasons = {
  Available: 'All pods that are wanted run the version that is asked for and are ready.',
  ScaledToZero: 'No pods are asked for and none run.',
  Suspended: 'The service is switched off by spec.suspend, and no pods run.',
  Progressing: 'Pods are being created, replaced or removed, and nothing is known to be wrong.',
  Conflict: 'An object of the name that a child needs is there already and belongs to somebody else.',
  Invalid: 'The API server refuses a child as it is.',
  NotAllowed: 'The installation of the platform does not allow something that is asked for; the rest runs.',
  Denied: 'The operator may not write a child: its rights or an admission rule forbid it.',
  WriteFailed: 'The API server, or a webhook that it asks, could not take a write; it is tried again.',
  QuotaExceeded: 'A resource quota of the namespace leaves no room.',
  PodsRefused: 'The API server refuses the pods, for example because of Pod Security or a LimitRange.',
  ImagePullFailed: 'The image cannot be pulled.',
  SecretMissing: 'A Secret, or a key in it, that the pods need is not there.',
  ConfigMapMissing: 'A ConfigMap, or a key in it, that the pods need is not there.',
  ContainerFailed: 'The container cannot be created or started.',
  OutOfMemory: 'The container was killed because it used more memory than its limit.',
  CrashLoop: 'The process in the container ends again and again.',
  Unschedulable: 'No node can take a pod.',
  VolumesPending: 'A pod waits for its volumes or for its network.',
  InitRunning: 'A container that comes before the service has not ended yet.',
  ProbeFailing: 'The process runs but does not pass its startup or readiness probe.',
  DeadlineExceeded: 'The rollout did not finish in time, and no more precise cause can be seen.',
  RequestRateMissing: 'Nobody tells the autoscaler how many requests a second the pods answer.',
  MetricsMissing: 'Nobody tells the autoscaler one of the other figures that it goes by.',
} as const;

export type Reason = keyof typeof reasons;
