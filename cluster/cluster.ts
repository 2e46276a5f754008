import type { Step } from './progress.ts';

/** From the repository that manifests name an image by, to the full name that the cluster has it under. */
export type References = ReadonlyMap<string, string>;

/** One way of having a cluster. Whatever is installed afterwards cannot tell which way it was. */
export interface Cluster {
  readonly way: 'embedded' | 'kind' | 'context';
  readonly name: string;
  /** Path of the kubeconfig of an administrator, once started. It leads to this cluster and to no other. */
  readonly kubeconfig: string;
  /**
   * Starts it, or does nothing when it runs; makes sure of images, names, storage and resource figures.
   * Gives the images that stand in for the ones of the manifests; an image that is not among them is pulled as it is named.
   */
  start(step: Step): Promise<References>;
  /** Makes what `urls` promises reachable, once the Services are there. */
  connect(): Promise<void>;
  isRunning(): boolean;
  /** Loopback URLs of what runs inside, by the name of the Service. */
  urls(): ReadonlyMap<string, string>;
  /** Removes everything that `start` and the installation made. */
  stop(): Promise<void>;
}
