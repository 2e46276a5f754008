/** The names that tie objects together in a cluster. They are frozen: changing one orphans what runs. */

export const group = 'microservice-platform.io';

/** Label on every child and pod: the name of its Microservice. The selector of the Deployment is exactly this one. */
export const microserviceLabel = `${group}/microservice`;

export const nameLabel = 'app.kubernetes.io/name';
export const managedByLabel = 'app.kubernetes.io/managed-by';
export const managedBy = 'microservice-platform';

/** Owner, in the sense of server-side apply, of every field that the operator states. */
export const fieldManager = 'microservice-platform';

/**
 * Owner of the replica count between the moment when the operator stops stating it and the moment when the
 * autoscaler sets it. Without an owner the API server would put the count back to 1.
 */
export const handoverFieldManager = 'microservice-platform-handover';

/** Annotation on every child: hash of the manifest that was last applied. Tells that something is no longer asked for. */
export const desiredHashAnnotation = `${group}/desired-hash`;

/** Annotation on a Deployment: who sets its replica count, `spec` or `autoscaler`. */
export const replicasSetByAnnotation = `${group}/replicas-set-by`;

/** Annotation on pods: stands for the content of ConfigMaps and Secrets that they use, and tells nothing about it. */
export const contentMarkAnnotation = `${group}/content-mark`;
