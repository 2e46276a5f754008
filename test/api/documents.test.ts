import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type ControlPlane, startControlPlane } from '../support/control-plane.ts';
import { blocksOf, documentAt, documents } from '../support/documents.ts';
import { installDefinition, KubeApi, paths, type Wire } from '../support/kube-api.ts';

/** Every Microservice that a document shows. */
const examples = documents().flatMap((document) =>
  blocksOf(document)
    .filter(({ info }) => info === 'yaml')
    .flatMap(({ text }) => parseAllDocuments(text).map((each) => each.toJS() as Wire))
    .filter((object) => object?.kind === 'Microservice')
    .map((object): [string, Wire] => [`${object.metadata.name} of ${document.path}`, object]),
);

describe('a reader who copies an example', () => {
  let plane: ControlPlane;
  let api: KubeApi;

  const apply = (object: Wire) =>
    api.ask('POST', `${paths.microservices('default')}?dryRun=All&fieldValidation=Strict`, object);

  beforeAll(async () => {
    plane = await startControlPlane();
    api = new KubeApi(plane.kubeconfig);
    await installDefinition(api);
  });
  afterAll(async () => {
    await api?.[Symbol.asyncDispose]();
    await plane?.stop();
  });

  it('finds one in README.md', () => {
    expect(examples.map(([name]) => name)).toContain('orders of README.md');
  });

  it.for(examples)('can apply the Microservice %s', async ([, object]) => {
    expect(await apply(object)).toMatchObject({ status: 201 });
  });

  it('and makes the mistake of README.md is told what stands there', async () => {
    const [, orders] = examples.find(([name]) => name === 'orders of README.md') ?? [];
    const autoscaling = { minReplicas: 5, maxReplicas: 2, cpu: 70 };
    const { status, body } = await apply({ ...orders, spec: { ...orders.spec, autoscaling } });

    expect(status).toBe(422);
    const said = String(body.message).replace(/^.* is invalid: /, '');
    expect(documentAt('README.md').text.replaceAll(/\s+/g, ' ')).toContain(said);
  });
});
