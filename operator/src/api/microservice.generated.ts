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
  /**
   * When the image is pulled: IfNotPresent, Always (asks the registry at every start of a pod) or Never (the image is
   * on the nodes). Default: IfNotPresent. Example: Always
   */
  readonly imagePullPolicy?: 'Always' | 'IfNotPresent' | 'Never';
  /**
   * Secrets in the same namespace with the credentials of private registries. Default: none.
   * Example: [{name: registry}]
   */
  readonly imagePullSecrets?: readonly PullSecret[];
  /**
   * Configuration that is kept in a ConfigMap of its own, with the name of the Microservice. Without mountPath each key
   * becomes an environment variable (env and envFrom win over it), with mountPath each key becomes a file.
   * Default: none. Example: {data: {LOG_LEVEL: info}}
   */
  readonly config?: Config;
  /**
   * Volumes of the pod, of the kinds that reach nothing outside the namespace. Volumes that start with platform- are the
   * operator's: one of them is the writable /tmp that every container has. Default: none.
   * Example: [{name: certificates, secret: {secretName: orders-tls}}]
   */
  readonly volumes?: readonly Volume[];
  /**
   * Where volumes are found in the container. /tmp is writable already, as long as nothing else is mounted there.
   * Default: none. Example: [{name: certificates, mountPath: /etc/tls, readOnly: true}]
   */
  readonly volumeMounts?: readonly VolumeMount[];
  /**
   * What the container may do, within what Pod Security `restricted` allows. It never runs as root, never gains privileges,
   * and drops all capabilities. Default: the user of the image, a read-only root filesystem. Example: {runAsUser: 1000}
   */
  readonly securityContext?: SecurityContext;
  /**
   * Users, groups and system calls of the whole pod, within what Pod Security `restricted` allows.
   * Default: the user of the image, the system calls of the container runtime's default. Example: {fsGroup: 2000}
   */
  readonly podSecurityContext?: PodSecurityContext;
  /**
   * Containers that come before the service, in this order. One without restartPolicy runs to its end before the next one
   * starts; one with restartPolicy Always is a sidecar, which runs as long as the service. None may have the name of the
   * Microservice, which is that of its own container.
   * Default: none. Example: [{name: proxy, image: "ghcr.io/acme/proxy:2.1.0", restartPolicy: Always}]
   */
  readonly initContainers?: readonly InitContainer[];
  /**
   * Identity of the pods at the API server. Default: a ServiceAccount of their own, with the name of the Microservice, without
   * rights and without a token. Example: {automountToken: true}
   */
  readonly serviceAccount?: ServiceAccount;
  /**
   * Labels of the pods beside the operator's own, which cannot be changed: those that select pods stay out of reach.
   * Default: none. Example: {team: orders}
   */
  readonly podLabels?: Readonly<Record<string, string>>;
  /** Annotations, for example to bind a cloud identity. Default: none. Example: {example.com/role: orders} */
  readonly podAnnotations?: Readonly<Record<string, string>>;
  /**
   * On which nodes pods may run. Default: on all of them, spread over zones and nodes as evenly as can be.
   * Example: {nodeSelector: {kubernetes.io/arch: amd64}}
   */
  readonly scheduling?: Scheduling;
  /**
   * How names are resolved: as in the cluster (ClusterFirst), as on the node (Default), or only as dnsConfig says (None).
   * Default: ClusterFirst. Example: None
   */
  readonly dnsPolicy?: 'ClusterFirst' | 'Default' | 'None';
  /** What is added to the resolution of names. Default: none. Example: {options: [{name: ndots, value: "2"}]} */
  readonly dnsConfig?: DnsConfig;
  /**
   * Names that the pods know by themselves, as lines of /etc/hosts. Default: none.
   * Example: [{ip: 10.0.0.7, hostnames: [mainframe]}]
   */
  readonly hostAliases?: readonly HostAlias[];
  /** How pods are replaced when something changes. Default: one more at a time, never one fewer. Example: {maxSurge: "50%"} */
  readonly rollout?: Rollout;
  /**
   * How a pod stops. Default: 5 seconds for traffic to move away, then SIGTERM, and SIGKILL 30 seconds after the beginning.
   * Example: {gracePeriodSeconds: 60}
   */
  readonly shutdown?: Shutdown;
  /**
   * How many pods may go at once when nodes are drained. A drain is never blocked: at least one pod may always go, and pods
   * that are not ready may go at any time. Default: {maxUnavailable: 1}. Example: {maxUnavailable: "25%"}
   */
  readonly disruption?: Disruption;
  /** The Service object beside its ports, which are spec.ports. Default: a ClusterIP Service. Example: {headless: true} */
  readonly service?: ServiceOptions;
  /**
   * What is measured of the service, and what is promised of it. Without it nothing is added to the pods, and a port
   * named http is asked for /metrics.
   * Default: none. Example: {metrics: {port: http}, tracing: {samplePercent: 10}, slo: {availability: "99.9"}}
   */
  readonly observability?: Observability;
  /**
   * Whether the service is switched off: no pods and no autoscaler run, everything else stays, and replicas and autoscaling are
   * kept for when it is switched on again. Default: false. Example: true
   */
  readonly suspend?: boolean;
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
  /**
   * Number of the port on every node, with service.type NodePort or LoadBalancer.
   * Default: a free one is chosen. Example: 30080
   */
  readonly nodePort?: number;
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
  /**
   * What a change of the content in use does: Rollout replaces the pods, step by step as for a new image. None leaves
   * them: files change in the running pods within a minute or so, variables with the next pod. A Secret counts only where
   * the installation of the platform lets the operator read Secrets (operator.rolloutOnSecretChange).
   * Default: Rollout. Example: None
   */
  readonly onChange?: 'Rollout' | 'None';
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
  /**
   * What a change of the content in use does: Rollout replaces the pods, step by step as for a new image. None leaves
   * them: files change in the running pods within a minute or so, variables with the next pod. A Secret counts only where
   * the installation of the platform lets the operator read Secrets (operator.rolloutOnSecretChange).
   * Default: Rollout. Example: None
   */
  readonly onChange?: 'Rollout' | 'None';
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
    /** Headers of the request. Default: none. Example: [{name: Host, value: orders.example}] */
    readonly httpHeaders?: readonly HttpHeader[];
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

export interface HttpHeader {
  /** Name of the header. Example: Host */
  readonly name: string;
  /** Value of the header. Example: orders.example */
  readonly value: string;
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
   * Target for the requests answered in a second, on average over the pods: of http_requests_total, which they count
   * themselves, over the last 30 s, without /metrics, /healthz and /readyz. A whole number, or text for a part:
   * "500m" is one in two seconds. Needs customMetrics.enabled of the platform's chart; where that is missing, the
   * condition AutoscalingInactive says so. Example: 100
   */
  readonly requestsPerSecond?: number | string;
  /**
   * Further targets, of any metric that the cluster serves, as in a HorizontalPodAutoscaler (autoscaling/v2); the one that
   * asks for most pods counts. Default: none.
   * Example: [{type: Pods, pods: {metric: {name: queue_length}, target: {type: AverageValue, averageValue: 30}}}]
   */
  readonly metrics?: readonly Metric[];
  /**
   * How fast the number of pods may change, as in a HorizontalPodAutoscaler (autoscaling/v2). What is left
   * out is as Kubernetes has it, in each direction for itself.
   * Default: that of Kubernetes. Example: {scaleDown: {stabilizationWindowSeconds: 60}}
   */
  readonly behavior?: ScalingBehavior;
}

export interface Metric {
  /** Where the metric comes from. Example: Pods */
  readonly type: 'Resource' | 'ContainerResource' | 'Pods' | 'Object' | 'External';
  /** What the pods use of a resource. Example: {name: cpu, target: {type: Utilization, averageUtilization: 70}} */
  readonly resource?: {
    /** The resource. Example: cpu */
    readonly name: 'cpu' | 'memory';
    /** What is aimed at, on average over the pods. */
    readonly target: ResourceTarget;
  };
  /** What one container of the pods uses. Example: {name: cpu, container: proxy, target: {type: Utilization, averageUtilization: 70}} */
  readonly containerResource?: {
    /** The resource. Example: cpu */
    readonly name: 'cpu' | 'memory';
    /** Name of the container. Example: proxy */
    readonly container: string;
    /** What is aimed at, on average over the pods. */
    readonly target: ResourceTarget;
  };
  /** A metric of each pod. Example: {metric: {name: queue_length}, target: {type: AverageValue, averageValue: 30}} */
  readonly pods?: {
    /** The metric. */
    readonly metric: MetricIdentifier;
    /** What is aimed at, on average over the pods. */
    readonly target: {
      /** Unit of the target. Example: AverageValue */
      readonly type: 'AverageValue';
      /** An amount, a whole number or text with a unit. Example: 30 */
      readonly averageValue: number | string;
    };
  };
  /** A metric of one other object of the namespace. */
  readonly object?: {
    /** The object. Example: {apiVersion: networking.k8s.io/v1, kind: Ingress, name: shop} */
    readonly describedObject: {
      /** Its version. Example: networking.k8s.io/v1 */
      readonly apiVersion: string;
      /** Its kind. Example: Ingress */
      readonly kind: string;
      /** Name of the object, in the same namespace. Example: orders */
      readonly name: string;
    };
    /** The metric. */
    readonly metric: MetricIdentifier;
    /** What is aimed at, in all (Value), or for each pod (AverageValue). */
    readonly target: ValueTarget;
  };
  /** A metric from outside the cluster. */
  readonly external?: {
    /** The metric. */
    readonly metric: MetricIdentifier;
    /** What is aimed at, in all (Value), or for each pod (AverageValue). */
    readonly target: ValueTarget;
  };
}

export interface ResourceTarget {
  /** Unit of the target. Example: Utilization */
  readonly type: 'Utilization' | 'AverageValue';
  /** Percent of what is requested. Example: 70 */
  readonly averageUtilization?: number;
  /** An amount, a whole number or text with a unit. Example: 30 */
  readonly averageValue?: number | string;
}

export interface MetricIdentifier {
  /** Name of the metric. Example: queue_length */
  readonly name: string;
  /** Pods by their labels. Example: {matchLabels: {app.kubernetes.io/name: cache}} */
  readonly selector?: LabelSelector;
}

export interface LabelSelector {
  /** Labels that a pod has to have. Example: {app.kubernetes.io/name: cache} */
  readonly matchLabels?: Readonly<Record<string, string>>;
  /** What is asked of the labels. Example: [{key: tier, operator: In, values: [backend]}] */
  readonly matchExpressions?: readonly {
    /** Name of the label. Example: kubernetes.io/arch */
    readonly key: string;
    /** How the label is compared. Example: In */
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
    /** Values to compare with. Example: [amd64] */
    readonly values?: readonly string[];
  }[];
}

export interface ValueTarget {
  /** Unit of the target. Example: Value */
  readonly type: 'Value' | 'AverageValue';
  /** An amount, a whole number or text with a unit. Example: 30 */
  readonly value?: number | string;
  /** An amount, a whole number or text with a unit. Example: 30 */
  readonly averageValue?: number | string;
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

export interface PullSecret {
  /** Name of the Secret. Example: registry */
  readonly name: string;
}

export interface Config {
  /** Names and contents. Example: {LOG_LEVEL: info} */
  readonly data: Readonly<Record<string, string>>;
  /** Folder in which the keys are files, read-only. Default: none, they are variables. Example: /etc/orders */
  readonly mountPath?: string;
  /**
   * What a change of the content in use does: Rollout replaces the pods, step by step as for a new image. None leaves
   * them: files change in the running pods within a minute or so, variables with the next pod. A Secret counts only where
   * the installation of the platform lets the operator read Secrets (operator.rolloutOnSecretChange).
   * Default: Rollout. Example: None
   */
  readonly onChange?: 'Rollout' | 'None';
}

export interface Volume {
  /**
   * Name by which volumeMounts speak of it: a-z, 0-9 and '-', at most 63 characters, not beginning with platform-.
   * Example: certificates
   */
  readonly name: string;
  /** The keys of a ConfigMap as files. Example: {name: orders-routes} */
  readonly configMap?: ConfigMapVolume;
  /** The keys of a Secret as files. Example: {secretName: orders-tls} */
  readonly secret?: SecretVolume;
  /** An empty folder that lives as long as the pod. Example: {sizeLimit: 1Gi} */
  readonly emptyDir?: EmptyDirVolume;
  /**
   * A PersistentVolumeClaim that exists; all pods share it, so it needs an access mode that lets them.
   * Example: {claimName: orders-files}
   */
  readonly persistentVolumeClaim?: {
    /** Name of the object, in the same namespace. Example: orders */
    readonly claimName: string;
    /** Whether it is mounted read-only, whatever the mounts say. Default: false. Example: true */
    readonly readOnly?: boolean;
  };
  /**
   * A PersistentVolumeClaim for each pod, that lives as long as the pod.
   * Example: {volumeClaimTemplate: {spec: {resources: {requests: {storage: 10Gi}}}}}
   */
  readonly ephemeral?: EphemeralVolume;
  /** Several sources in one folder. Example: {sources: [{configMap: {name: orders}}, {secret: {name: orders-tls}}]} */
  readonly projected?: ProjectedVolume;
  /** Facts about the pod as files. Example: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]} */
  readonly downwardAPI?: DownwardVolume;
}

export interface ConfigMapVolume {
  /** Name of the object, in the same namespace. Example: orders */
  readonly name: string;
  /** Which keys, and at which path each. Default: all keys, each at its name. Example: [{key: a.pem, path: tls/a.pem}] */
  readonly items?: readonly KeyItem[];
  /** Permissions of the files, 0 to 511; in YAML 0440 is read as 288. Default: 420, which is 0644. Example: 288 */
  readonly defaultMode?: number;
  /** Whether pods start while the object or a key is missing. Default: false, they wait for it. Example: true */
  readonly optional?: boolean;
  /**
   * What a change of the content in use does: Rollout replaces the pods, step by step as for a new image. None leaves
   * them: files change in the running pods within a minute or so, variables with the next pod. A Secret counts only where
   * the installation of the platform lets the operator read Secrets (operator.rolloutOnSecretChange).
   * Default: Rollout. Example: None
   */
  readonly onChange?: 'Rollout' | 'None';
}

export interface KeyItem {
  /** The key. Example: a.pem */
  readonly key: string;
  /** Path of the file below the volume: relative, without '..'. Example: tls/a.pem */
  readonly path: string;
  /** Permissions of the file, 0 to 511; in YAML 0440 is read as 288. Default: defaultMode of the volume. Example: 288 */
  readonly mode?: number;
}

export interface SecretVolume {
  /** Name of the object, in the same namespace. Example: orders */
  readonly secretName: string;
  /** Which keys, and at which path each. Default: all keys, each at its name. Example: [{key: a.pem, path: tls/a.pem}] */
  readonly items?: readonly KeyItem[];
  /** Permissions of the files, 0 to 511; in YAML 0440 is read as 288. Default: 420, which is 0644. Example: 288 */
  readonly defaultMode?: number;
  /** Whether pods start while the object or a key is missing. Default: false, they wait for it. Example: true */
  readonly optional?: boolean;
  /**
   * What a change of the content in use does: Rollout replaces the pods, step by step as for a new image. None leaves
   * them: files change in the running pods within a minute or so, variables with the next pod. A Secret counts only where
   * the installation of the platform lets the operator read Secrets (operator.rolloutOnSecretChange).
   * Default: Rollout. Example: None
   */
  readonly onChange?: 'Rollout' | 'None';
}

export interface EmptyDirVolume {
  /** Memory keeps it in memory, where it counts as memory of the containers. Default: the disk of the node. Example: Memory */
  readonly medium?: 'Memory';
  /** Above this size the pod is evicted. Default: none. Example: 1Gi */
  readonly sizeLimit?: number | string;
}

export interface EphemeralVolume {
  /** The claim that is made for each pod. */
  readonly volumeClaimTemplate: {
    /** What is claimed. Example: {resources: {requests: {storage: 10Gi}}} */
    readonly spec: {
      /** How the volume may be mounted. Default: [ReadWriteOnce]. Example: [ReadWriteOncePod] */
      readonly accessModes?: readonly ('ReadWriteOnce' | 'ReadOnlyMany' | 'ReadWriteMany' | 'ReadWriteOncePod')[];
      /** StorageClass of the volume. Default: that of the cluster. Example: fast */
      readonly storageClassName?: string;
      /** Size of the volume. */
      readonly resources: {
        /** Size of the volume. Example: {storage: 10Gi} */
        readonly requests: {
          /** Bytes, a whole number or text with a unit. Example: 10Gi */
          readonly storage: number | string;
        };
      };
    };
  };
}

export interface ProjectedVolume {
  /** Permissions of the files, 0 to 511; in YAML 0440 is read as 288. Default: 420, which is 0644. Example: 288 */
  readonly defaultMode?: number;
  /**
   * The sources; each file has a path of its own.
   * Example: [{configMap: {name: orders}}, {secret: {name: orders-tls}}]
   */
  readonly sources: readonly ProjectedSource[];
}

export interface ProjectedSource {
  /** The keys of an object as files. Example: {name: orders} */
  readonly configMap?: ProjectedObject;
  /** The keys of an object as files. Example: {name: orders} */
  readonly secret?: ProjectedObject;
  /** Facts about the pod as files. */
  readonly downwardAPI?: {
    /** The files. Example: [{path: labels, fieldRef: {fieldPath: metadata.labels}}] */
    readonly items: readonly DownwardFile[];
  };
  /**
   * A token of the pod's ServiceAccount for one receiver, renewed before it expires.
   * Example: {path: token, audience: vault}
   */
  readonly serviceAccountToken?: {
    /** Path of the file below the volume: relative, without '..'. Example: tls/a.pem */
    readonly path: string;
    /** Who the token is for. Default: the API server. Example: vault */
    readonly audience?: string;
    /** Seconds until the token expires. Default: 3600. Example: 7200 */
    readonly expirationSeconds?: number;
  };
}

export interface ProjectedObject {
  /** Name of the object, in the same namespace. Example: orders */
  readonly name: string;
  /** Which keys, and at which path each. Default: all keys, each at its name. Example: [{key: a.pem, path: tls/a.pem}] */
  readonly items?: readonly KeyItem[];
  /** Whether pods start while the object or a key is missing. Default: false, they wait for it. Example: true */
  readonly optional?: boolean;
  /**
   * What a change of the content in use does: Rollout replaces the pods, step by step as for a new image. None leaves
   * them: files change in the running pods within a minute or so, variables with the next pod. A Secret counts only where
   * the installation of the platform lets the operator read Secrets (operator.rolloutOnSecretChange).
   * Default: Rollout. Example: None
   */
  readonly onChange?: 'Rollout' | 'None';
}

export interface DownwardFile {
  /** Path of the file below the volume: relative, without '..'. Example: tls/a.pem */
  readonly path: string;
  /** Permissions of the file, 0 to 511; in YAML 0440 is read as 288. Default: defaultMode of the volume. Example: 288 */
  readonly mode?: number;
  /** A field of the pod. */
  readonly fieldRef?: {
    /**
     * Path of the field: metadata.name, metadata.namespace, metadata.uid, metadata.labels,
     * metadata.annotations, metadata.labels['KEY'] or metadata.annotations['KEY']. Example: metadata.labels
     */
    readonly fieldPath: string;
  };
  /** A request or limit of a container. */
  readonly resourceFieldRef?: {
    /** Name of the container. Default: that of the service. Example: proxy */
    readonly containerName?: string;
    /** Which one. Example: limits.memory */
    readonly resource: 'limits.cpu' | 'limits.memory' | 'limits.ephemeral-storage' | 'requests.cpu' | 'requests.memory' | 'requests.ephemeral-storage';
  };
}

export interface DownwardVolume {
  /** Permissions of the files, 0 to 511; in YAML 0440 is read as 288. Default: 420, which is 0644. Example: 288 */
  readonly defaultMode?: number;
  /** The files. Example: [{path: labels, fieldRef: {fieldPath: metadata.labels}}] */
  readonly items: readonly DownwardFile[];
}

export interface VolumeMount {
  /** Name of one of spec.volumes. Example: certificates */
  readonly name: string;
  /** Absolute path in the container, unique among the mounts. Example: /etc/tls */
  readonly mountPath: string;
  /**
   * Path below the volume that is mounted instead of all of it; a file mounted so does not change with its ConfigMap or Secret.
   * Default: the whole volume. Example: a.pem
   */
  readonly subPath?: string;
  /** Whether the container may only read. Default: false. Example: true */
  readonly readOnly?: boolean;
}

export interface SecurityContext {
  /** Whether the container may write only to its volumes and to /tmp. Default: true. Example: false */
  readonly readOnlyRootFilesystem?: boolean;
  /** User that the process runs as; never 0. Default: that of podSecurityContext, or else of the image. Example: 1000 */
  readonly runAsUser?: number;
  /** Group that the process runs as. Default: that of podSecurityContext, or else of the image. Example: 1000 */
  readonly runAsGroup?: number;
  /** Capabilities, all others being dropped. Example: {add: [NET_BIND_SERVICE]} */
  readonly capabilities?: {
    /** Those that are added: NET_BIND_SERVICE, to listen on ports below 1024. Example: [NET_BIND_SERVICE] */
    readonly add: readonly ('NET_BIND_SERVICE')[];
  };
}

export interface PodSecurityContext {
  /** User that the process runs as; never 0. Default: that of podSecurityContext, or else of the image. Example: 1000 */
  readonly runAsUser?: number;
  /** Group that the process runs as. Default: that of podSecurityContext, or else of the image. Example: 1000 */
  readonly runAsGroup?: number;
  /** Group that owns the volumes, so that the process may write to them. Default: none. Example: 2000 */
  readonly fsGroup?: number;
  /**
   * Whether the owner of each file is set every time (Always), or only when that of the folder is another one.
   * Default: Always. Example: OnRootMismatch
   */
  readonly fsGroupChangePolicy?: 'Always' | 'OnRootMismatch';
  /** Further groups of the process. Default: none. Example: [3000] */
  readonly supplementalGroups?: readonly number[];
  /** System calls that the process may use. Default: {type: RuntimeDefault}. Example: {type: RuntimeDefault} */
  readonly seccompProfile?: {
    /** RuntimeDefault, or Localhost for a profile that is on the nodes. Example: RuntimeDefault */
    readonly type: 'RuntimeDefault' | 'Localhost';
    /** Path of the profile below the kubelet's folder for them. Example: profiles/orders.json */
    readonly localhostProfile?: string;
  };
}

export interface InitContainer {
  /** Name of the container. Example: proxy */
  readonly name: string;
  /** Image of the container. Example: ghcr.io/acme/proxy:2.1.0 */
  readonly image: string;
  /** Always makes it a sidecar. Default: none, it runs to its end. Example: Always */
  readonly restartPolicy?: 'Always';
  /**
   * When the image is pulled: IfNotPresent, Always (asks the registry at every start of a pod) or Never (the image is
   * on the nodes). Default: IfNotPresent. Example: Always
   */
  readonly imagePullPolicy?: 'Always' | 'IfNotPresent' | 'Never';
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
   * Where volumes are found in the container. /tmp is writable already, as long as nothing else is mounted there.
   * Default: none. Example: [{name: certificates, mountPath: /etc/tls, readOnly: true}]
   */
  readonly volumeMounts?: readonly VolumeMount[];
  /**
   * What the container may do, within what Pod Security `restricted` allows. It never runs as root, never gains privileges,
   * and drops all capabilities. Default: the user of the image, a read-only root filesystem. Example: {runAsUser: 1000}
   */
  readonly securityContext?: SecurityContext;
  /**
   * Probes of a sidecar; ports are numbers. The pod is ready when all its sidecars are, too. Default: none.
   * Example: {startup: {httpGet: {path: /ready, port: 15021}}}
   */
  readonly probes?: Probes;
}

export interface ServiceAccount {
  /** Name of a ServiceAccount that exists, instead of one of their own. Default: none. Example: orders-reader */
  readonly name?: string;
  /** Annotations, for example to bind a cloud identity. Default: none. Example: {example.com/role: orders} */
  readonly annotations?: Readonly<Record<string, string>>;
  /**
   * Whether the pods get a token for the API server, at the usual place. A volume with a projected
   * serviceAccountToken gives them one in any case. Default: false. Example: true
   */
  readonly automountToken?: boolean;
}

export interface Scheduling {
  /** Labels that a node has to have. Default: none. Example: {kubernetes.io/arch: amd64} */
  readonly nodeSelector?: Readonly<Record<string, string>>;
  /**
   * Taints of nodes that do not keep the pods away. Default: none.
   * Example: [{key: dedicated, operator: Equal, value: orders, effect: NoSchedule}]
   */
  readonly tolerations?: readonly Toleration[];
  /**
   * Nodes and neighbours that pods prefer, need or avoid, as in a pod. Default: none.
   * Example: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: []}}}
   */
  readonly affinity?: Affinity;
  /**
   * How evenly the pods of this service are spread; given, it replaces the default.
   * Default: over zones and over nodes, as evenly as can be.
   * Example: [{topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule}]
   */
  readonly topologySpreadConstraints?: readonly SpreadConstraint[];
  /** PriorityClass of the pods. Default: that of the cluster. Example: business-critical */
  readonly priorityClassName?: string;
}

export interface Toleration {
  /** Key of the taint. Example: dedicated */
  readonly key: string;
  /** Equal compares the value, Exists takes any. Default: Equal. Example: Exists */
  readonly operator?: 'Equal' | 'Exists';
  /** Value of the taint. Default: empty. Example: orders */
  readonly value?: string;
  /** Effect of the taint. Default: every effect. Example: NoSchedule */
  readonly effect?: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
  /** Seconds for which a pod stays on a node that got the taint. Default: for ever. Example: 300 */
  readonly tolerationSeconds?: number;
}

export interface Affinity {
  /** Nodes by their labels. */
  readonly nodeAffinity?: {
    /** What a node has to be. */
    readonly requiredDuringSchedulingIgnoredDuringExecution?: {
      /** One of these has to hold. Example: [{matchExpressions: [{key: kubernetes.io/arch, operator: Exists}]}] */
      readonly nodeSelectorTerms: readonly {
        /** What is asked of the labels. Example: [{key: kubernetes.io/arch, operator: In, values: [amd64]}] */
        readonly matchExpressions: readonly {
          /** Name of the label. Example: kubernetes.io/arch */
          readonly key: string;
          /** How the label is compared. Example: In */
          readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';
          /** Values to compare with. Example: [amd64] */
          readonly values?: readonly string[];
        }[];
      }[];
    };
    /**
     * What a node is liked for.
     * Example: [{weight: 50, preference: {matchExpressions: [{key: kubernetes.io/arch, operator: Exists}]}}]
     */
    readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly {
      /** How much it counts, 1 to 100. Example: 50 */
      readonly weight: number;
      /** All of these have to hold. */
      readonly preference: {
        /** What is asked of the labels. Example: [{key: kubernetes.io/arch, operator: In, values: [amd64]}] */
        readonly matchExpressions: readonly {
          /** Name of the label. Example: kubernetes.io/arch */
          readonly key: string;
          /** How the label is compared. Example: In */
          readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';
          /** Values to compare with. Example: [amd64] */
          readonly values?: readonly string[];
        }[];
      };
    }[];
  };
  /** Other pods of the namespace, by their labels. */
  readonly podAffinity?: {
    /**
     * What has to hold.
     * Example: [{labelSelector: {matchLabels: {app.kubernetes.io/name: cache}}, topologyKey: kubernetes.io/hostname}]
     */
    readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly {
      /** Pods by their labels. Example: {matchLabels: {app.kubernetes.io/name: cache}} */
      readonly labelSelector: {
        /** Labels that a pod has to have. Example: {app.kubernetes.io/name: cache} */
        readonly matchLabels?: Readonly<Record<string, string>>;
        /** What is asked of the labels. Example: [{key: tier, operator: In, values: [backend]}] */
        readonly matchExpressions?: readonly {
          /** Name of the label. Example: kubernetes.io/arch */
          readonly key: string;
          /** How the label is compared. Example: In */
          readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
          /** Values to compare with. Example: [amd64] */
          readonly values?: readonly string[];
        }[];
      };
      /** Label of nodes; nodes of the same value count as one place. Example: kubernetes.io/hostname */
      readonly topologyKey: string;
    }[];
    /** What is liked. Example: [{weight: 50, podAffinityTerm: {labelSelector: {}, topologyKey: kubernetes.io/hostname}}] */
    readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly {
      /** How much it counts, 1 to 100. Example: 50 */
      readonly weight: number;
      /** Pods, and the label of nodes that says what "together" means. */
      readonly podAffinityTerm: {
        /** Pods by their labels. Example: {matchLabels: {app.kubernetes.io/name: cache}} */
        readonly labelSelector: {
          /** Labels that a pod has to have. Example: {app.kubernetes.io/name: cache} */
          readonly matchLabels?: Readonly<Record<string, string>>;
          /** What is asked of the labels. Example: [{key: tier, operator: In, values: [backend]}] */
          readonly matchExpressions?: readonly {
            /** Name of the label. Example: kubernetes.io/arch */
            readonly key: string;
            /** How the label is compared. Example: In */
            readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
            /** Values to compare with. Example: [amd64] */
            readonly values?: readonly string[];
          }[];
        };
        /** Label of nodes; nodes of the same value count as one place. Example: kubernetes.io/hostname */
        readonly topologyKey: string;
      };
    }[];
  };
  /** Other pods of the namespace, by their labels. */
  readonly podAntiAffinity?: {
    /**
     * What has to hold.
     * Example: [{labelSelector: {matchLabels: {app.kubernetes.io/name: cache}}, topologyKey: kubernetes.io/hostname}]
     */
    readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly {
      /** Pods by their labels. Example: {matchLabels: {app.kubernetes.io/name: cache}} */
      readonly labelSelector: {
        /** Labels that a pod has to have. Example: {app.kubernetes.io/name: cache} */
        readonly matchLabels?: Readonly<Record<string, string>>;
        /** What is asked of the labels. Example: [{key: tier, operator: In, values: [backend]}] */
        readonly matchExpressions?: readonly {
          /** Name of the label. Example: kubernetes.io/arch */
          readonly key: string;
          /** How the label is compared. Example: In */
          readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
          /** Values to compare with. Example: [amd64] */
          readonly values?: readonly string[];
        }[];
      };
      /** Label of nodes; nodes of the same value count as one place. Example: kubernetes.io/hostname */
      readonly topologyKey: string;
    }[];
    /** What is liked. Example: [{weight: 50, podAffinityTerm: {labelSelector: {}, topologyKey: kubernetes.io/hostname}}] */
    readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly {
      /** How much it counts, 1 to 100. Example: 50 */
      readonly weight: number;
      /** Pods, and the label of nodes that says what "together" means. */
      readonly podAffinityTerm: {
        /** Pods by their labels. Example: {matchLabels: {app.kubernetes.io/name: cache}} */
        readonly labelSelector: {
          /** Labels that a pod has to have. Example: {app.kubernetes.io/name: cache} */
          readonly matchLabels?: Readonly<Record<string, string>>;
          /** What is asked of the labels. Example: [{key: tier, operator: In, values: [backend]}] */
          readonly matchExpressions?: readonly {
            /** Name of the label. Example: kubernetes.io/arch */
            readonly key: string;
            /** How the label is compared. Example: In */
            readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
            /** Values to compare with. Example: [amd64] */
            readonly values?: readonly string[];
          }[];
        };
        /** Label of nodes; nodes of the same value count as one place. Example: kubernetes.io/hostname */
        readonly topologyKey: string;
      };
    }[];
  };
}

export interface SpreadConstraint {
  /** Label of nodes; nodes of the same value count as one place. Example: topology.kubernetes.io/zone */
  readonly topologyKey: string;
  /**
   * Whether a pod that cannot be placed evenly waits (DoNotSchedule) or is placed all the same (ScheduleAnyway).
   * Example: ScheduleAnyway
   */
  readonly whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway';
  /** By how many pods two places may differ. Default: 1. Example: 2 */
  readonly maxSkew?: number;
}

export interface DnsConfig {
  /** Addresses of further name servers. Example: [10.0.0.53] */
  readonly nameservers?: readonly string[];
  /** Domains that names are looked up in. Example: [acme.example] */
  readonly searches?: readonly string[];
  /** Options of the resolver. Example: [{name: ndots, value: "2"}] */
  readonly options?: readonly {
    /** Name of the option. Example: ndots */
    readonly name: string;
    /** Value, where the option takes one. Example: "2" */
    readonly value?: string;
  }[];
}

export interface HostAlias {
  /** Address. Example: 10.0.0.7 */
  readonly ip: string;
  /** Names of that address. Example: [mainframe] */
  readonly hostnames: readonly string[];
}

export interface Rollout {
  /**
   * RollingUpdate replaces pods step by step, Recreate takes all down first, for services of which two versions must
   * never run at once. Default: RollingUpdate. Example: Recreate
   */
  readonly type?: 'RollingUpdate' | 'Recreate';
  /** Pods, or percent of them, that may exist beyond the wanted number meanwhile. Default: 1. Example: "50%" */
  readonly maxSurge?: number | string;
  /** Pods, or percent of them, that may be missing from the wanted number meanwhile. Default: 0. Example: 1 */
  readonly maxUnavailable?: number | string;
  /** Seconds that a new pod has to stay ready before it counts. Default: 0. Example: 10 */
  readonly minReadySeconds?: number;
  /**
   * Seconds without progress after which a rollout has failed and the Microservice is Stalled; the old pods go on
   * serving. Default: 300. Example: 600
   */
  readonly progressDeadlineSeconds?: number;
}

export interface Shutdown {
  /** Seconds between the decision to stop a pod and SIGTERM; requests still come in that time. Default: 5. Example: 10 */
  readonly drainSeconds?: number;
  /** Seconds between the decision to stop a pod and SIGKILL. Default: 30. Example: 60 */
  readonly gracePeriodSeconds?: number;
}

export interface Disruption {
  /** Pods, or percent of them rounded up, that may be missing. Default: 1. Example: "25%" */
  readonly maxUnavailable?: number | string;
}

export interface ServiceOptions {
  /**
   * Where the service can be reached from: inside the cluster (ClusterIP), at a port of every node (NodePort), or at an
   * address outside (LoadBalancer). The last two only where the installation of the platform allows them
   * (operator.serviceTypes). Default: ClusterIP. Example: LoadBalancer
   */
  readonly type?: 'ClusterIP' | 'NodePort' | 'LoadBalancer';
  /**
   * Whether the name of the service leads to the addresses of its pods instead of one address of its own, for clients
   * that choose among them, such as gRPC. A change makes the Service anew. Default: false. Example: true
   */
  readonly headless?: boolean;
  /** Annotations, for example to bind a cloud identity. Default: none. Example: {example.com/role: orders} */
  readonly annotations?: Readonly<Record<string, string>>;
  /** ClientIP leads the requests of one client address to the same pod. Default: None. Example: ClientIP */
  readonly sessionAffinity?: 'None' | 'ClientIP';
  /** How long that lasts. Default: {clientIP: {timeoutSeconds: 10800}}. Example: {clientIP: {timeoutSeconds: 600}} */
  readonly sessionAffinityConfig?: {
    /** For sessionAffinity ClientIP. */
    readonly clientIP: {
      /** Seconds without a request after which a client may get another pod. Example: 600 */
      readonly timeoutSeconds: number;
    };
  };
  /**
   * Local keeps traffic from outside on the node where it came in, and so the address of the client; Cluster spreads it.
   * Default: Cluster. Example: Local
   */
  readonly externalTrafficPolicy?: 'Cluster' | 'Local';
  /**
   * Which load balancer of the cluster takes it. A change makes the Service anew. Default: that of the cluster.
   * Example: example.com/internal
   */
  readonly loadBalancerClass?: string;
  /** Addresses that may come in, where the load balancer can tell. Default: all. Example: [10.0.0.0/8] */
  readonly loadBalancerSourceRanges?: readonly string[];
}

export interface Observability {
  /**
   * Where Prometheus asks each pod for its metrics, as annotations of the pod (prometheus.io/scrape, port and path).
   * What podAnnotations says of them wins. Default: no annotations. Example: {port: admin, path: /internal/metrics}
   */
  readonly metrics?: MetricsEndpoint;
  /**
   * Lets the service send traces: the variables OTEL_* of its container, as OpenTelemetry's libraries read them.
   * What env and config say of them wins. Default: no variables. Example: {samplePercent: 10}
   */
  readonly tracing?: {
    /**
     * How many of 100 traces that begin here are kept; one that a caller began is kept if the caller kept it. A
     * whole number, or text with up to 4 decimals. Default: 100. Example: "0.5"
     */
    readonly samplePercent?: number | string;
  };
  /**
   * Objectives of the service, counted over 30 days, or over what Prometheus keeps; what is left of their error
   * budgets is in status.slo. Requests for /healthz, /readyz and /metrics do not count.
   * Example: {availability: "99.9", latency: {p95: 250ms}}
   */
  readonly slo?: Objectives;
}

export interface MetricsEndpoint {
  /** Whether Prometheus asks at all. Default: true. Example: false */
  readonly enabled?: boolean;
  /**
   * Name of one of spec.ports, of protocol TCP. Default: the one named http, or else the first TCP port.
   * Example: admin
   */
  readonly port?: string;
  /** Path that answers in the format of Prometheus. Default: /metrics. Example: /internal/metrics */
  readonly path?: string;
}

export interface Objectives {
  /**
   * Percent of the requests that are answered without a status of 5xx. A whole number, or text with up to 4
   * decimals. Example: "99.9"
   */
  readonly availability?: number | string;
  /**
   * Share of the requests that are answered within a time: 50, 90, 95 or 99 percent, exactly one of them. The time
   * has to be a bucket of the histogram http_request_duration_seconds; those of the shop are 5ms, 10ms, 25ms,
   * 50ms, 100ms, 250ms, 500ms, 1s, 2.5s, 5s and 10s. Example: {p95: 250ms}
   */
  readonly latency?: {
    /** Time within which that share is answered, in ms or s, from 1ms to 60s. Example: 250ms */
    readonly p50?: string;
    /** Time within which that share is answered, in ms or s, from 1ms to 60s. Example: 250ms */
    readonly p90?: string;
    /** Time within which that share is answered, in ms or s, from 1ms to 60s. Example: 250ms */
    readonly p95?: string;
    /** Time within which that share is answered, in ms or s, from 1ms to 60s. Example: 250ms */
    readonly p99?: string;
  };
}

export interface MicroserviceStatus {
  /** Generation of the spec that the rest of the status speaks about; -1 until the operator has seen the Microservice. */
  readonly observedGeneration?: number;
  /**
   * Ready, always; Reconciling or Stalled while it is true, and AutoscalingInactive. Types and reasons are a closed
   * list, explained in docs/reference/conditions.md.
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
  /** Number of pods asked for, or the range of the autoscaler and its targets. Example: 2-10 @ cpu 70%, 100 req/s */
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
  /** Pages about this Microservice, those that the installation of the platform has. */
  readonly links?: Links;
  /** What is left of the error budget of each objective in spec.observability.slo. */
  readonly slo?: readonly SloStatus[];
  /** The least of the error budgets that are left, of those that are known. Example: 87% */
  readonly budget?: string;
  /** Objects made for this Microservice, in its namespace. */
  readonly children?: readonly ChildRef[];
}

export interface Condition {
  /** Type of the condition. One of Ready, Reconciling, Stalled and AutoscalingInactive. */
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

export interface Links {
  /** Its dashboard in Grafana. Example: http://grafana.example.com/d/microservice?var-namespace=shop&var-service=orders */
  readonly dashboard?: string;
  /** Its traces, in Grafana; where spec.observability.tracing asks for them. */
  readonly traces?: string;
  /** Its log, in Grafana. */
  readonly logs?: string;
}

export interface SloStatus {
  /** Which objective, availability or latency. */
  readonly name: string;
  /** Percent of the requests that have to be good. Example: 99.9% */
  readonly objective: string;
  /** Time within which a request is good, of latency. Example: 250ms */
  readonly target?: string;
  /**
   * Part of the error budget that is left: 100% when it is untouched, 0% when it is used up, below that when more
   * went wrong than was allowed; at least -999%. As of the last minute. Absent while it is not known. Example: 87%
   */
  readonly budgetLeft?: string;
  /** Why budgetLeft is not known. */
  readonly note?: string;
}

export interface ChildRef {
  /** Kind of the object. Example: Deployment */
  readonly kind: string;
  /** Name of the object. Example: orders */
  readonly name: string;
}
