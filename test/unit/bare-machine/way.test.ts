import { describe, expect, it } from 'vitest';
import { checkRegistry } from '../../../cluster/registry.ts';
import { type Circumstances, chooseWay } from '../../../cluster/way.ts';
import { chartValues, shopManifests } from '../../../manifests/install.ts';

/** A machine with Docker, a registry for it, and no cluster yet. */
const machine = (differing: Partial<Circumstances> = {}): Circumstances => ({
  existing: [],
  dockerAnswers: async () => true,
  nodeImageIsHad: async () => true,
  ...differing,
});
const never = async (): Promise<boolean> => {
  throw new Error('nobody needs to know');
};

describe('the way to a cluster', () => {
  it.each([
    [
      'the one that is named by its context, whatever else there is',
      { context: 'mine', existing: ['kind'] },
      'context',
    ],
    ['the one that is there', { existing: ['embedded'] }, 'embedded'],
    ['the one that is there in Docker', { existing: ['kind'] }, 'kind'],
    ['kind where Docker answers', {}, 'kind'],
    ['a node on this machine where it does not', { dockerAnswers: async () => false }, 'embedded'],
    ['a node on this machine where kind has no image', { nodeImageIsHad: async () => false }, 'embedded'],
    ['a node on this machine when that is asked for', { asked: 'embedded', existing: ['kind'] }, 'embedded'],
  ] as const)('is %s', async (_, differing, way) => {
    expect((await chooseWay(machine(differing))).way).toBe(way);
  });

  it('asks Docker nothing when the answer changes nothing', async () => {
    const quiet = { dockerAnswers: never, nodeImageIsHad: never };
    await chooseWay(machine({ ...quiet, context: 'mine' }));
    await chooseWay(machine({ ...quiet, existing: ['embedded'] }));
    await chooseWay(machine({ ...quiet, asked: 'embedded' }));
  });

  it('says why a kind cluster was not taken although Docker answers', async () => {
    const { because } = await chooseWay(machine({ nodeImageIsHad: async () => false }));
    expect(because).toBe('Docker answers, but the image of a kind node cannot be had');
  });

  it.each([
    [{ asked: 'kind', dockerAnswers: async () => false }, /no Docker engine answers/],
    [{ asked: 'kind', nodeImageIsHad: async () => false }, /the image of its node can neither be found nor pulled/],
    [{ asked: 'minikube' }, /WAY=minikube: use embedded or kind/],
    [{ asked: 'kind', context: 'mine' }, /use one of them/],
  ])('is refused when it cannot be what was asked for: %j', async (differing, said) => {
    await expect(chooseWay(machine(differing))).rejects.toThrow(said);
  });
});

describe('REGISTRY', () => {
  it.each(['registry.example.com', 'registry.example.com/shop', 'localhost:5000/a/b'])('may be %s', (registry) => {
    expect(checkRegistry(registry)).toBe(registry);
  });

  it.each(['https://registry.example.com', 'registry.example.com/Shop', 'a b', '/shop', 'user:pw@host/shop'])(
    'is refused as %s',
    (registry) => {
      expect(() => checkRegistry(registry)).toThrow(/use host\/path without a scheme/);
    },
  );
});

describe('what is installed', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const own = new Map([['ghcr.io/microservice-platform/operator', `localhost:5000/shop/operator:abc@${digest}`]]);

  it('names an image of a registry by repository, tag and digest', () => {
    expect(chartValues(own)).toEqual({
      operator: { image: { repository: 'localhost:5000/shop/operator', tag: `abc@${digest}` } },
    });
  });

  it('leaves Grafana out where the images of others were built too, as none can be built of it', () => {
    const built = new Map([...own, ['docker.io/prom/prometheus', 'localhost/prometheus:abc']]);
    expect(chartValues(built)).toMatchObject({ grafana: { mode: 'none' } });
  });

  it('takes images of the shop from where they are, and leaves the others as they are named', () => {
    const gateway = `localhost:5000/shop/api-gateway:abc@${digest}`;
    const manifests = shopManifests(new Map([['ghcr.io/microservice-platform/api-gateway', gateway]]));
    expect(manifests).toContain(`image: ${gateway}`);
    expect(manifests).toMatch(/image: docker\.io\/library\/postgres:/);
  });
});
