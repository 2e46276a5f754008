import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { addCustomer, placeOrder } from '../../manifests/proof.ts';
import { cli, list, read, url } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { linesOf } from '../support/loki.ts';

const namespace = `logs-${randomBytes(4).toString('hex')}`;
const platform = 'microservice-platform';
afterAll(() => cli.run(['delete', 'namespace', namespace, '--ignore-not-found', '--wait=false']));

interface Deployment {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } };
  };
}

/** A Microservice that is nothing but this program of Node: it says what it likes, in no form that anybody knows. */
async function program(name: string, source: string): Promise<void> {
  const { spec } = await read<Deployment>('deployment', 'shop', 'user-service');
  const [container] = spec.template.spec.containers;
  await cli.apply(
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
        {
          apiVersion: 'microservice-platform.io/v1alpha1',
          kind: 'Microservice',
          metadata: { namespace, name },
          spec: {
            image: container?.image,
            imagePullPolicy: 'IfNotPresent',
            command: ['node', '-e', source],
            podSecurityContext: { runAsUser: 65532 },
          },
        },
      ],
    }),
  );
}

const loki = (query: string) => linesOf(url('loki'), query);
const soon = { withinMs: 120_000, everyMs: 500 };

describe('the logs of Microservices', () => {
  it('of an order are found by its trace, from the gateway to the payment', async () => {
    const { traceId } = await placeOrder(url('api-gateway'), await addCustomer(url('api-gateway')));
    await eventually(async () => {
      const lines = await loki(`{namespace="shop"} | trace_id="${traceId}"`);
      const services = new Set(lines.map(({ labels }) => labels.service));
      expect([...services]).toEqual(expect.arrayContaining(['api-gateway', 'order-service', 'payment-service']));
      for (const { line } of lines) expect(line).toContain(traceId);
    }, soon);
  });

  it('are kept as they are where they are plain text', async () => {
    await program('plain', "console.log('hello from nobody in particular'); setInterval(() => {}, 1000)");
    await eventually(async () => {
      const [line] = await loki(`{namespace="${namespace}", service="plain"}`);
      expect(line?.line).toBe('hello from nobody in particular');
    }, soon);
  });

  it('have the last words of a process that ends at once', async () => {
    await program('crashing', "console.error('fatal: there is no database'); process.exit(3)");
    await eventually(async () => {
      const lines = await loki(`{namespace="${namespace}", service="crashing"}`);
      expect(lines.length).toBeGreaterThanOrEqual(2); // More than one run of it.
      for (const { line } of lines) expect(line).toBe('fatal: there is no database');
    }, soon);
  });

  it('are complete and in order when the collector is deleted while lines come, and none is there twice', async () => {
    const lines = 600;
    await program(
      'counting',
      `let n = 0; const t = setInterval(() => { if (n === ${lines}) clearInterval(t); else console.log('line ' + n++); }, 50); setInterval(() => {}, 1000)`,
    );
    const query = `{namespace="${namespace}", service="counting"}`;
    await eventually(async () => expect((await loki(query)).length).toBeGreaterThan(50), soon);
    await cli.run(['delete', 'pod', '-n', platform, '-l', 'app.kubernetes.io/name=log-collector']);
    await eventually(
      async () => {
        const found = (await loki(query)).map(({ line }) => line);
        expect(found).toEqual(Array.from({ length: lines }, (_, at) => `line ${at}`));
      },
      { withinMs: 120_000, everyMs: 1_000 },
    );
  });

  it('tell nobody a password or a key of the shop', async () => {
    interface Secret {
      readonly metadata: { readonly name: string };
      readonly data: Readonly<Record<string, string>>;
    }
    const texts = (await list<Secret>('secrets', 'shop')).flatMap(({ metadata: { name }, data }) =>
      Object.entries(data)
        .filter(([key]) => key === 'password' || key === 'jwks')
        .map(([key, encoded]) => {
          const text = Buffer.from(encoded, 'base64').toString();
          return { name, text: key === 'jwks' ? (/"d":\s*"([^"]+)"/.exec(text)?.[1] ?? '') : text };
        }),
    );
    expect(texts.length).toBeGreaterThan(3);
    expect((await loki('{namespace="shop"}')).length).toBeGreaterThan(10);
    for (const { name, text } of texts) {
      expect(text.length).toBeGreaterThan(20);
      // Whatever is found would be the secret: its name is all that is said of it.
      const told = (await loki(`{namespace=~".+"} |= ${JSON.stringify(text)}`)).length;
      expect([name, told]).toEqual([name, 0]);
    }
  });
});
