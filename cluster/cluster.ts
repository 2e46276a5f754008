import type { LocalImages } from './images.ts';
import type { Step } from './progress.ts';

/** One way of having a cluster. Whatever is installed afterwards cannot tell which way it was. */
export interface Cluster {
  readonly name: string;
  /** Path of the kubeconfig of an administrator, once started. */
  readonly kubeconfig: string;
  /** Starts it, or does nothing when it runs; brings the images; gives a cluster with names, storage and resource figures. */
  start(images: LocalImages, step: Step): Promise<void>;
  isRunning(): boolean;
  /** Loopback URLs of what runs inside, by the name of the Service. */
  urls(): ReadonlyMap<string, string>;
  /** Removes everything that `start` made. */
  stop(): Promise<void>;
}
