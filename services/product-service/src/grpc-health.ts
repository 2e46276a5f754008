import { setTimeout as sleep } from 'node:timers/promises';
import type { Readiness } from '@microservice-platform/common';
import { HealthImplementation } from 'grpc-health-check';

export interface GrpcHealth {
  readonly implementation: HealthImplementation;
  readonly stop: () => void;
}

const pollMs = 1_000;

/**
 * `grpc.health.v1` for `services`, told what `/readyz` says: SERVING while it is ready, NOT_SERVING when it is not,
 * and for good once it drains; at most a second later.
 */
export async function grpcHealth(readiness: Readiness, services: readonly string[]): Promise<GrpcHealth> {
  const implementation = new HealthImplementation();
  let told: boolean | undefined;
  const tell = async () => {
    const ready = (await readiness.reason()) === undefined;
    if (ready === told) return; // watchers hear of changes only
    told = ready;
    for (const name of services) implementation.setStatus(name, ready ? 'SERVING' : 'NOT_SERVING');
  };
  await tell();

  const stopped = new AbortController();
  const follow = async () => {
    while (!stopped.signal.aborted) {
      await sleep(pollMs, undefined, { ref: false });
      await tell();
    }
  };
  void follow();
  return { implementation, stop: () => stopped.abort() };
}
