import type { ServiceType } from './service.ts';

/** What children follow from beside the Microservice itself. */
export interface Surroundings {
  /** Stands for the content that the pods use; see `contentMark`. */
  readonly contentMark?: string | undefined;
  /** The types of Services that the installation of the platform allows. */
  readonly serviceTypes: readonly ServiceType[];
  /** Where the installation of the platform takes traces, by OTLP over HTTP; nowhere when not stated. */
  readonly collector?: string | undefined;
}
