// Generated from crds/microservice-platform.io_microservices.yaml by `npm run generate`; do not edit.
import type { KubeObject } from './object.ts';

/**
 * A stateless service: one resource from which the platform makes and keeps a Deployment, a Service
 * and, if asked for, a HorizontalPodAutoscaler, all with the name of the Microservice.
 */
export interface Microservice extends KubeObject {
  readonly apiVersion: 'microservice-platform.io/v1alpha1';
  readonly kind: 'Microservice';
  /** What is asked for. */
  readonly spec: MicroserviceSpec;
  /** What was found. Written by the operator only. */
  readonly status?: MicroserviceStatus;
}

export interface MicroserviceSpec {
  /**
   * Image of the service, with a tag or a digest that never changes its meaning.
   * Example: ghcr.io/acme/orders:1.4.2
   */
  readonly image: string;
  /**
   * Number of pods. 0 stops the service and keeps everything else. Also set by `kubectl scale`.
   * Ignored while autoscaling is set. When autoscaling is taken away, the number goes to this one at once and
   * in one step, so set what should run in the same change: left out it is 1.
   * Default: 1. Example: 2
   */
  readonly replicas: number;
  /**
   * Ports that the service listens on; each is also a port of the Service object. Without ports there is no
   * Service object and no probe. The default probes use the first TCP port.
   * Default: none. Example: [{name: http, containerPort: 8080, servicePort: 80}]
   */
  readonly ports?: readonly Port[];
  /**
   * Environment variables of the container. A variable may use those before it as $(NAME).
   * Default: none. Example: [{name: LOG_LEVEL, value: info}]
   */
  readonly env?: readonly EnvVar[];
  /**
   * ConfigMaps and Secrets whose keys all become environment variables; env wins over envFrom, and a later entry
   * over an earlier one. Default: none. Example: [{configMapRef: {name: orders}}]
   */
  readonly envFrom?: readonly EnvFromSource[];
  /**
   * What the container is given and what it may use at most.
   * Default: none. Example: {requests: {cpu: 100m, memory: 128Mi}, limits: {memory: 256Mi}}
   */
  readonly resources?: Resources;
  /**
   * How the cluster finds out about the state of a pod. What is left out of a probe comes from its default;
   * a probe without an action opens a TCP connection to the first TCP port.
   * Default: readiness and startup on the first TCP port, no liveness.
   * Example: {readiness: {httpGet: {path: /readyz}}}
   */
  readonly probes?: Probes;
  /**
   * Lets a HorizontalPodAutoscaler choose the number of pods; replicas is ignored meanwhile. The pods that run when
   * it is added stay, and are raised to minReplicas if they are fewer. Ready needs minReplicas of them, not all
   * that the autoscaler asks for at the moment.
   * Default: none, replicas counts. Example: {minReplicas: 2, maxReplicas: 10, cpu: 70}
   */
  readonly autoscaling?: Autoscaling;
  /**
   * Program to run instead of the entrypoint of the image. $(NAME) stands for an environment variable.
   * Default: the entrypoint of the image. Example: [/app/orders]
   */
  readonly command?: readonly string[];
  /**
   * Arguments of the program. $(NAME) stands for an environment variable.
   * Default: those of the image, unless command is set. Example: [--port, "8080"]
   */
  readonly args?: readonly string[];
}

export interface Port {
  /**
   * Name of the port in the pod and in the Service, unique among the ports.
   * Lower case letters, digits and '-', at most 15 characters. Example: http
   */
  readonly name: string;
  /** Number of the port that the process listens on, 1 to 65535. Example: 8080 */
  readonly containerPort: number;
  /** Number of the port of the Service, 1 to 65535. Default: the same as containerPort. Example: 80 */
  readonly servicePort?: number;
  /** Transport protocol. Default: TCP. Example: UDP */
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP';
  /**
   * Application protocol of the port of the Service, for meshes, gateways and load balancers.
   * Default: none. Example: grpc, http, kubernetes.io/h2c
   */
  readonly appProtocol?: string;
}

export interface EnvVar {
  /** Name of the variable, unique among env. Example: LOG_LEVEL */
  readonly name: string;
  /** Value of the variable. Default: the empty string. Example: info */
  readonly value?: string;
  /** Where the value comes from; exactly one of the sources. */
  readonly valueFrom?: EnvVarSource;
}

export interface EnvVarSource {
  /** A key of a Secret in the same namespace. */
  readonly secretKeyRef?: KeyRef;
  /** A key of a ConfigMap in the same namespace. */
  readonly configMapKeyRef?: KeyRef;
  /** A field of the pod. */
  readonly fieldRef?: {
    /**
     * Path of the field: metadata.name, metadata.namespace, metadata.uid, metadata.labels['KEY'],
     * metadata.annotations['KEY'], spec.nodeName, spec.serviceAccountName, status.hostIP,
     * status.hostIPs, status.podIP or status.podIPs. Example: metadata.name
     */
    readonly fieldPath: string;
  };
  /** A request or limit of the container. */
  readonly resourceFieldRef?: {
    /** Which one. Example: limits.memory */
    readonly resource: 'limits.cpu' | 'limits.memory' | 'limits.ephemeral-storage' | 'requests.cpu' | 'requests.memory' | 'requests.ephemeral-storage';
    /**
     * Unit of the value: 1 or 1m for cpu, 1 (bytes), 1Ki, 1Mi, 1Gi and so on for the others.
     * Default: 1. Example: 1Mi
     */
    readonly divisor?: number | string;
  };
}

export interface KeyRef {
  /** Name of the object. Example: orders-db */
  readonly name: string;
  /** Key in its data. Example: password */
  readonly key: string;
  /**
   * Whether pods start without the variable while the object or the key is missing.
   * Default: false, they wait for it. Example: true
   */
  readonly optional?: boolean;
}

export interface EnvFromSource {
  /** Text put before each name. Default: none. Example: DB_ */
  readonly prefix?: string;
  /** A ConfigMap in the same namespace. */
  readonly configMapRef?: NameRef;
  /** A Secret in the same namespace. */
  readonly secretRef?: NameRef;
}

export interface NameRef {
  /** Name of the object. Example: orders */
  readonly name: string;
  /** Whether pods start while the object is missing. Default: false, they wait for it. Example: true */
  readonly optional?: boolean;
}

export interface Resources {
  /**
   * What is set aside for each pod, by the name of the resource: cpu in cores (250m is a quarter), memory and
   * ephemeral-storage in bytes (128Mi). Write fractions as text: "0.5".
   * Default: the limits, where there are some. Example: {cpu: 100m, memory: 128Mi}
   */
  readonly requests?: Readonly<Record<string, number | string>>;
  /**
   * What a pod may use at most: above the cpu limit it is slowed down, above the memory limit it is killed.
   * Default: none. Example: {memory: 256Mi}
   */
  readonly limits?: Readonly<Record<string, number | string>>;
}

export interface Probes {
  /**
   * Whether a pod gets traffic. Default: a TCP connection to the first TCP port every 5 seconds, unready after 3
   * failures in a row. Example: {httpGet: {path: /readyz}}
   */
  readonly readiness?: Probe;
  /**
   * Whether a container has to be started anew. Restarts seldom help and often hurt: leave it out unless the
   * process can hang in a way that only a restart ends.
   * Default: none. Example: {httpGet: {path: /healthz}, failureThreshold: 6}
   */
  readonly liveness?: Probe;
  /**
   * Whether a container has started; the other probes wait for it, and a container that does not pass in time is
   * started anew. Default: a TCP connection to the first TCP port every second, for at most 60 seconds.
   * Example: {failureThreshold: 300}
   */
  readonly startup?: Probe;
}

export interface Probe {
  /** Passes when the answer to a GET has a status from 200 to 399. Example: {path: /readyz} */
  readonly httpGet?: {
    /** Path of the request. Default: /. Example: /readyz */
    readonly path?: string;
    /** Name of one of spec.ports, or a number. Default: the first TCP port. Example: http */
    readonly port?: number | string;
    /** HTTP or HTTPS (the certificate is not checked). Default: HTTP. Example: HTTPS */
    readonly scheme?: 'HTTP' | 'HTTPS';
  };
  /** Passes when a TCP connection opens. Example: {port: http} */
  readonly tcpSocket?: {
    /** Name of one of spec.ports, or a number. Default: the first TCP port. Example: http */
    readonly port?: number | string;
  };
  /** Passes when the gRPC health protocol (grpc.health.v1) answers SERVING. Example: {port: 50051} */
  readonly grpc?: {
    /** Number of the port. Example: 50051 */
    readonly port: number;
    /** Name of the service to ask for. Default: the empty name, the whole server. Example: orders */
    readonly service?: string;
  };
  /** Passes when a command in the container ends with 0. Example: {command: [/bin/healthy]} */
  readonly exec?: {
    /** The command and its arguments, without a shell. Example: [/bin/healthy] */
    readonly command: readonly string[];
  };
  /** Seconds between the start of the container and the first try. Default: 0. Example: 10 */
  readonly initialDelaySeconds?: number;
  /** Seconds between two tries. Default: 1 for startup, 5 for readiness, 10 for liveness. Example: 10 */
  readonly periodSeconds?: number;
  /** Seconds after which a try has failed. Default: 1 for startup, 2 for the others. Example: 3 */
  readonly timeoutSeconds?: number;
  /** Failures in a row that count. Default: 60 for startup, 3 for the others. Example: 5 */
  readonly failureThreshold?: number;
  /**
   * Successes in a row after which a failed probe has passed again; only readiness takes more than 1.
   * Default: 1. Example: 2
   */
  readonly successThreshold?: number;
}

export interface Autoscaling {
  /** Fewest pods. Default: 1. Example: 2 */
  readonly minReplicas?: number;
  /** Most pods. Example: 10 */
  readonly maxReplicas: number;
  /** Target for the cpu used, in percent of the cpu requested, on average over the pods. Example: 70 */
  readonly cpu?: number;
  /** Target for the memory used, in percent of the memory requested, on average over the pods. Example: 80 */
  readonly memory?: number;
  /**
   * How fast the number of pods may change, as in a HorizontalPodAutoscaler (autoscaling/v2). What is left
   * out is as Kubernetes has it, in each direction for itself.
   * Default: that of Kubernetes. Example: {scaleDown: {stabilizationWindowSeconds: 60}}
   */
  readonly behavior?: ScalingBehavior;
}

export interface ScalingBehavior {
  /**
   * How fast pods may be added. Default: at most 4 pods or 100 percent every 15 seconds, whichever is more,
   * without waiting. Example: {stabilizationWindowSeconds: 30}
   */
  readonly scaleUp?: ScalingRules;
  /**
   * How fast pods may be taken away. Default: all at once, once 300 seconds of recommendations agree.
   * Example: {stabilizationWindowSeconds: 60}
   */
  readonly scaleDown?: ScalingRules;
}

export interface ScalingRules {
  /**
   * Seconds of the past whose recommendations are looked at, so that a short peak does not count.
   * Default: 0 for scaleUp, 300 for scaleDown. Example: 60
   */
  readonly stabilizationWindowSeconds?: number;
  /**
   * Which of the policies counts: the one that allows most (Max), least (Min), or none (Disabled, no scaling in
   * this direction). Default: Max. Example: Min
   */
  readonly selectPolicy?: 'Max' | 'Min' | 'Disabled';
  /**
   * What may change in a given time. Default: see scaleUp and scaleDown.
   * Example: [{type: Pods, value: 2, periodSeconds: 60}]
   */
  readonly policies?: readonly ScalingPolicy[];
}

export interface ScalingPolicy {
  /** Unit of value: Pods or Percent. Example: Pods */
  readonly type: 'Pods' | 'Percent';
  /** How much may change within periodSeconds. Example: 2 */
  readonly value: number;
  /** Length of the time in seconds, at most 1800. Example: 60 */
  readonly periodSeconds: number;
}

export interface MicroserviceStatus {
  /** Generation of the spec that the rest of the status speaks about; -1 until the operator has seen the Microservice. */
  readonly observedGeneration?: number;
  /**
   * Ready, always; Reconciling or Stalled while it is true. Types and reasons are a closed list, explained in
   * docs/reference/conditions.md.
   */
  readonly conditions?: readonly Condition[];
  /** Pods that exist, ready or not. */
  readonly replicas?: number;
  /** Pods that are ready. */
  readonly readyReplicas?: number;
  /** Label selector of the pods, as text, for the scale subresource. */
  readonly selector?: string;
  /** Pods that are ready, of the pods that are wanted. Example: 2/2 */
  readonly pods?: string;
  /** Number of pods asked for, or the range of the autoscaler and its targets. Example: 2-10 @ cpu 70% */
  readonly scale?: string;
  /** Image that all pods run; while a new one is rolled out, the one before it. */
  readonly image?: string;
  /** Tag of that image, or the beginning of its digest. Example: 1.4.2 */
  readonly version?: string;
  /**
   * Address inside the cluster of the first port that speaks HTTP by its name or appProtocol.
   * Example: http://orders.shop.svc:80
   */
  readonly url?: string;
  /** Objects made for this Microservice, in its namespace. */
  readonly children?: readonly ChildRef[];
}

export interface Condition {
  /** Type of the condition. One of Ready, Reconciling and Stalled. */
  readonly type: string;
  /** Whether it holds. */
  readonly status: 'True' | 'False' | 'Unknown';
  /** Why, in one word of a closed list. */
  readonly reason: string;
  /** What is wrong, where, and what to do about it. */
  readonly message: string;
  /** When the status of the condition last changed. */
  readonly lastTransitionTime: string;
  /** Generation of the spec that the condition speaks about. */
  readonly observedGeneration: number;
}

export interface ChildRef {
  /** Kind of the object. Example: Deployment */
  readonly kind: string;
  /** Name of the object. Example: orders */
  readonly name: string;
}
