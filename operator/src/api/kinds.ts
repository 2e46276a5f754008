/** The kinds that the operator creates. A new kind is added here, in `desired/children.ts` and in the chart's ClusterRole. */
export const childKinds = [
  { kind: 'Deployment', apiVersion: 'apps/v1', plural: 'deployments' },
  { kind: 'Service', apiVersion: 'v1', plural: 'services' },
  { kind: 'PodDisruptionBudget', apiVersion: 'policy/v1', plural: 'poddisruptionbudgets' },
  { kind: 'ServiceAccount', apiVersion: 'v1', plural: 'serviceaccounts' },
  { kind: 'ConfigMap', apiVersion: 'v1', plural: 'configmaps' },
  { kind: 'HorizontalPodAutoscaler', apiVersion: 'autoscaling/v2', plural: 'horizontalpodautoscalers' },
] as const;

export type ChildKind = (typeof childKinds)[number]['kind'];
