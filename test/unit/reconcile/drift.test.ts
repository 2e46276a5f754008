import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KubeObject, Manifest } from '../../../operator/src/api/object.ts';
import { desiredChildren } from '../../../operator/src/desired/children.ts';
import { driftOf } from '../../../operator/src/reconcile/drift.ts';
import { validSpecs } from '../../support/arbitrary-spec.ts';
import { live } from '../../support/live-objects.ts';
import { microservice } from '../../support/microservice.ts';

type Json = Record<string, unknown>;

/** Every child of any valid spec. */
const manifests: fc.Arbitrary<Manifest> = validSpecs.chain((spec) =>
  fc.constantFrom(...desiredChildren(microservice({ spec }))),
);

/** What an object is, beside its name and kind: its spec, or its data. */
function bodyOf(manifest: Manifest): object {
  const { metadata: _, ...body } = manifest;
  return body;
}

/** The paths to everything in a value that is neither object nor list. */
function leaves(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, part]) =>
    leaves(part, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}

function changeAt(object: Json, path: readonly (string | number)[], change: (value: unknown) => unknown): void {
  const parent = path.slice(0, -1).reduce<Json>((part, key) => part[key] as Json, object);
  const last = path.at(-1) as string;
  parent[last] = change(parent[last]);
}

/** What the API server and other people add: fields everywhere, and items in the lists that are merged by key. */
function embroidered(value: unknown, key = ''): unknown {
  const keyed = ['env', 'volumes', 'containers', 'initContainers', 'volumeMounts', 'imagePullSecrets', 'hostAliases'];
  if (Array.isArray(value)) {
    const items = value.map((item) => embroidered(item));
    const theirs = { name: 'theirs', mountPath: '/theirs', ip: '192.0.2.1' };
    return keyed.includes(key) ? [theirs, ...items.toReversed()] : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (key === 'data') return value; // ours alone
  const parts = Object.entries(value).map(([name, part]) => [name, embroidered(part, name)]);
  return { ...Object.fromEntries(parts), addedByTheServer: { deep: true } };
}

describe('driftOf', () => {
  it('finds none in what was applied and not changed since', () => {
    fc.assert(
      fc.property(manifests, (manifest) => {
        expect(driftOf(manifest, live(manifest))).toBeUndefined();
      }),
    );
  });

  it('does not mind what the API server and others add', () => {
    fc.assert(
      fc.property(manifests, (manifest) => {
        expect(driftOf(manifest, embroidered(live(manifest)) as KubeObject)).toBeUndefined();
      }),
    );
  });

  it('finds every single value that is not what was stated', () => {
    fc.assert(
      fc.property(manifests, fc.nat(), (manifest, choice) => {
        const { labels, annotations, ownerReferences } = manifest.metadata;
        const stated = { ...bodyOf(manifest), metadata: { labels, annotations, ownerReferences } };
        const paths = leaves(stated);
        const path = paths[choice % paths.length] ?? [];
        const edited = structuredClone(live(manifest)) as unknown as Json;
        changeAt(edited, path, (value) => (typeof value === 'number' ? value + 1 : `${String(value)}x`));
        expect(driftOf(manifest, edited as unknown as KubeObject), path.join('.')).toBeDefined();
      }),
      { numRuns: 300 },
    );
  });

  it('finds every value that was taken away, empty ones aside', () => {
    fc.assert(
      fc.property(manifests, fc.nat(), (manifest, choice) => {
        const paths = leaves(bodyOf(manifest));
        const path = paths[choice % paths.length] ?? [];
        const edited = structuredClone(live(manifest)) as unknown as Json;
        let removed: unknown;
        changeAt(edited, path, (value) => {
          removed = value;
          return undefined;
        });
        const empty =
          (removed === '' && typeof path.at(-1) === 'string') ||
          (removed === false && path.at(-1) === 'readOnly') ||
          (removed === 0 && ['initialDelaySeconds', 'minReadySeconds'].includes(String(path.at(-1))));
        expect(driftOf(manifest, edited as unknown as KubeObject) === undefined, path.join('.')).toBe(empty);
      }),
      { numRuns: 300 },
    );
  });

  it('finds that something is no longer stated by the hash', () => {
    const [before, after] = [{ env: [{ name: 'A', value: 'a' }] }, {}].map(
      (spec) => desiredChildren(microservice({ spec }))[0] as Manifest,
    );
    if (!before || !after) throw new Error('there has to be a Deployment');
    expect(driftOf(after, live(before))).toBe('metadata.annotations.microservice-platform.io/desired-hash');
  });

  it('finds an item too many in a list that counts as one value', () => {
    const [deployment] = desiredChildren(microservice({ spec: { args: ['--port', '8080'] } }));
    if (!deployment) throw new Error('there has to be a Deployment');
    const text = JSON.stringify(live(deployment)).replace('["--port","8080"]', '["--port","8080","--debug"]');
    expect(driftOf(deployment, JSON.parse(text) as KubeObject)).toBe('spec.template.spec.containers.args');
  });

  it('names the place', () => {
    const [deployment] = desiredChildren(microservice({ spec: { replicas: 2 } }));
    if (!deployment) throw new Error('there has to be a Deployment');
    const edited = live({ ...deployment, spec: { ...(deployment.spec as Json), replicas: 5 } });
    expect(driftOf(deployment, edited)).toBe('spec.replicas');
  });

  it('takes an amount in another notation for the same, and a text that looks like an amount for what it is', () => {
    const spec = { resources: { limits: { cpu: '0.5' } }, env: [{ name: 'A', value: '0.5' }] };
    const [deployment] = desiredChildren(microservice({ spec }));
    if (!deployment) throw new Error('there has to be a Deployment');
    const rewritten = (from: string, to: string) =>
      JSON.parse(JSON.stringify(live(deployment)).replace(from, to)) as KubeObject;
    expect(driftOf(deployment, rewritten('"cpu":"0.5"', '"cpu":"500m"'))).toBeUndefined();
    expect(driftOf(deployment, rewritten('"value":"0.5"', '"value":"500m"'))).toMatch(/env\.value$/);
  });
});
