import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { handoverFieldManager, replicasSetByAnnotation } from '../../operator/src/api/labels.ts';
import type { MicroserviceSpec } from '../../operator/src/api/microservice.generated.ts';
import type { KubeObject, Manifest } from '../../operator/src/api/object.ts';
import { fromKubeconfig } from '../../operator/src/cluster/connection.ts';
import * as api from '../../operator/src/cluster/resource.ts';
import { Transport } from '../../operator/src/cluster/transport.ts';
import { desiredChildren } from '../../operator/src/desired/children.ts';
import { driftOf } from '../../operator/src/reconcile/drift.ts';
import { planChanges } from '../../operator/src/reconcile/plan.ts';
import { validSpecs } from '../support/arbitrary-spec.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane.ts';
import { microservice } from '../support/microservice.ts';

/** The builders and the comparison, against what a real API server makes of a manifest. */
describe('children in a real API server', () => {
  let controlPlane: ControlPlane;
  let transport: Transport;
  const names: string[] = [];
  const manager = { fieldManager: 'microservice-platform' };

  beforeAll(async () => {
    controlPlane = await startControlPlane();
    transport = new Transport(await fromKubeconfig(controlPlane.kubeconfig));
  });
  afterAll(async () => {
    await transport?.close(1_000);
    await controlPlane?.stop();
  });

  const named = (name: string, spec: Partial<MicroserviceSpec>) =>
    microservice({ metadata: { name, namespace: 'default' }, spec });
  const newName = () => `orders-${names.push('')}`;
  const create = (manifests: readonly Manifest[]) =>
    Promise.all(manifests.map((manifest) => api.create(transport, manifest, manager)));

  /** Takes the children from what is live to what is desired, as the plan says, and gives what is live then. */
  async function follow(
    name: string,
    spec: Partial<MicroserviceSpec>,
    live: readonly KubeObject[],
    afterEachStep: () => Promise<unknown> = async () => {},
  ) {
    const ms = named(name, spec);
    const after = new Map(live.map((child) => [child.kind, child]));
    for (const step of planChanges(desiredChildren(ms), { microservice: ms, children: live, pods: [] })) {
      if (step.kind === 'create') after.set(step.manifest.kind, await api.create(transport, step.manifest, manager));
      if (step.kind === 'apply') after.set(step.manifest.kind, await api.apply(transport, step.manifest, manager));
      if (step.kind === 'handover') {
        await api.apply(transport, step.manifest, { fieldManager: handoverFieldManager });
      }
      if (step.kind === 'remove') {
        await api.remove(transport, step.child);
        after.delete(step.child.kind);
      }
      await afterEachStep();
    }
    return [...after.values()];
  }

  it('take every valid spec, and show no drift when they come back with defaults', async () => {
    await fc.assert(
      fc.asyncProperty(validSpecs, async (spec) => {
        const desired = desiredChildren(named(newName(), spec));
        const live = await create(desired);
        for (const [index, manifest] of desired.entries()) {
          expect(driftOf(manifest, live[index] as KubeObject)).toBeUndefined();
        }
      }),
      { numRuns: 60 },
    );
  });

  it('become what a fresh create would be, whatever they were before', async () => {
    await fc.assert(
      fc.asyncProperty(validSpecs, validSpecs, async (before, after) => {
        const name = newName();
        const created = await create(desiredChildren(named(name, before)));
        // Twice: what cannot be changed is taken away first, and made anew in the next pass.
        const changed = await follow(name, after, await follow(name, after, created));
        const fresh = await create(desiredChildren(named(newName(), after)));
        expect(changed.map(essence).toSorted(byKind)).toEqual(fresh.map(essence).toSorted(byKind));
      }),
      { numRuns: 60 },
    );
  });

  it('keep their number of pods when an autoscaler takes over, and take that of the spec when it goes', async () => {
    const name = newName();
    const resources = { requests: { cpu: '100m' } };
    const fixed = { image: 'a:1', replicas: 4, resources };
    const scaled = { ...fixed, replicas: 1, autoscaling: { minReplicas: 2, maxReplicas: 6, cpu: 70 } };
    const counts: unknown[] = [];
    const read = async () => {
      const deployment = await api.get(transport, { kind: 'Deployment', namespace: 'default', name });
      counts.push((deployment.spec as { replicas?: number }).replicas);
      return deployment;
    };
    let children: KubeObject[] = await create(desiredChildren(named(name, fixed)));
    await read();
    children = await follow(name, scaled, children, read);
    await follow(name, fixed, children, read);
    // created; handed over, applied without replicas, autoscaler made; applied with replicas, autoscaler removed
    expect(counts).toEqual([4, 4, 4, 4, 4, 4]);
  });

  it('scale as if nobody had ever said how once autoscaling.behavior is taken away', async () => {
    const spec = (behavior?: object) => ({
      image: 'a:1',
      replicas: 1,
      resources: { requests: { cpu: '100m' } },
      autoscaling: { maxReplicas: 6, cpu: 70, ...(behavior && { behavior }) },
    });
    const policies = [{ type: 'Percent', value: 10, periodSeconds: 1800 }];
    const behavior = {
      scaleUp: { stabilizationWindowSeconds: 3600, selectPolicy: 'Disabled', policies },
      scaleDown: { stabilizationWindowSeconds: 0, selectPolicy: 'Min', policies },
    };
    const behaviorOf = (children: readonly KubeObject[]) =>
      (autoscalerIn(children).spec as { readonly behavior: { readonly scaleDown: object } }).behavior;
    const name = newName();
    const created = await create(desiredChildren(named(name, spec(behavior))));
    expect(behaviorOf(created)).toEqual(behavior);
    const changed = await follow(name, spec(), created);
    // What the API server makes of an empty behavior.
    const autoscaler = autoscalerIn(desiredChildren(named(newName(), spec())));
    const kubernetes = await api.create(
      transport,
      { ...autoscaler, spec: { ...(autoscaler.spec as object), behavior: {} } },
      manager,
    );
    expect(behaviorOf(changed)).toEqual({
      ...behaviorOf([kubernetes]),
      // Kubernetes leaves this one to a setting of its controller, whose default is 300.
      scaleDown: { ...behaviorOf([kubernetes]).scaleDown, stabilizationWindowSeconds: 300 },
    });
  });

  it('are not written to when another object of the same name took their place', async () => {
    const ms = named(newName(), { image: 'a:1' });
    const created = await create(desiredChildren(ms));
    const replaced = created.map((child) => ({
      ...child,
      metadata: { ...child.metadata, uid: 'of-an-earlier-one', labels: {} },
    }));
    for (const step of planChanges(desiredChildren(ms), { microservice: ms, children: replaced, pods: [] })) {
      if (step.kind !== 'apply') throw new Error(`unexpected step ${step.kind}`);
      await expect(api.apply(transport, step.manifest, manager)).rejects.toThrow(
        /conflict|metadata\.uid: .* immutable/,
      );
    }
  });
});

function autoscalerIn<T extends Manifest>(children: readonly T[]): T {
  const found = children.find(({ kind }) => kind === 'HorizontalPodAutoscaler');
  if (found === undefined) throw new Error('there has to be an autoscaler');
  return found;
}

/** What an object is, apart from its name and from what the API server gave it. */
function essence({ kind, spec, data, metadata }: KubeObject): { readonly kind: string; readonly text: string } {
  const given = { clusterIP: undefined, clusterIPs: undefined };
  const scaledByOthers = metadata.annotations?.[replicasSetByAnnotation] === 'autoscaler';
  const kept = { ...(spec as object), data, ...given, ...(scaledByOthers && { replicas: undefined }) };
  return { kind, text: JSON.stringify(kept, sorted, 1).replaceAll(metadata.name, 'NAME') };
}

function sorted(_key: string, value: unknown): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;
}

function byKind(a: { readonly kind: string }, b: { readonly kind: string }): number {
  return a.kind < b.kind ? -1 : 1;
}
