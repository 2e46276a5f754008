import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HttpClient } from '../../services/common/src/calls/http-client.ts';
import { orderSubscriptions } from '../../services/common/src/messages/order-events.ts';
import { readOrderEvent } from '../../services/common/src/messages/read-order-event.ts';
import { remoteActions } from '../../services/order-service/src/actions.ts';
import { remoteCatalog } from '../../services/order-service/src/catalog.ts';
import type { Order } from '../../services/order-service/src/order.ts';
import { remoteUsers } from '../../services/order-service/src/users.ts';
import { eventually } from '../support/eventually.ts';
import { ask, depth, drain, tapOrderEvents } from '../support/shop.ts';
import { type RestService, startWholeShop, type WholeShop } from '../support/whole-shop.ts';

interface Asked {
  readonly method: string;
  /** `{location}` stands for where the last thing that was given is. */
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
}

/** What a consumer relies on: of an answer only what it reads, any value of the same type. */
interface Expectation {
  readonly provider: RestService;
  readonly that: string;
  readonly given?: readonly Asked[];
  readonly ask: Asked;
  readonly answer: { readonly status: readonly number[]; readonly body?: Readonly<Record<string, unknown>> };
}

interface RecordedEvent {
  readonly type: string;
  readonly routingKey: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Readonly<Record<string, unknown>>;
}

const recorded = (name: string) =>
  JSON.parse(readFileSync(new URL(`../contracts/${name}.json`, import.meta.url), 'utf8')) as unknown;
const expectations = recorded('order-service') as readonly Expectation[];
const events = recorded('order-events') as readonly RecordedEvent[];

let shop: WholeShop;

beforeAll(async () => {
  shop = await startWholeShop();
});
afterAll(() => shop?.stop());

const typesOf = (example: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(example).map(([field, value]) => [field, typeof value]));
const fieldsLike = (example: Readonly<Record<string, unknown>>, body: Readonly<Record<string, unknown>>) =>
  typesOf(Object.fromEntries(Object.keys(example).map((field) => [field, body[field]])));

describe('order-service relies on', () => {
  const send = (provider: RestService, { method, path, body }: Asked) =>
    fetch(`${shop.services[provider].url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });

  it.each(expectations)('$provider: $that', async ({ provider, given = [], ask: asked, answer }) => {
    let location = '';
    for (const step of given) {
      const made = await send(provider, step);
      expect(made.ok, await made.text()).toBe(true);
      location = made.headers.get('location') ?? location;
    }
    const got = await send(provider, { ...asked, path: asked.path.replace('{location}', location) });
    expect(answer.status).toContain(got.status);
    const { body } = answer;
    if (body !== undefined) expect(fieldsLike(body, (await got.json()) as typeof body)).toEqual(typesOf(body));
  });

  it('product-service: a price, and that there is no such product', async () => {
    const [host = '', port = ''] = shop.services['product-service'].grpcAddress.split(':');
    const catalog = remoteCatalog({ host, port: Number(port) });
    expect(await catalog.product(1)).toMatchObject({ price: expect.any(Number) });
    await expect(catalog.product(2_000_000_000)).rejects.toMatchObject({ code: 'not_found' });
    catalog.close();
  });

  it('what it really asks for: the recorded requests, all of them and no other', async () => {
    const seen = new Set<string>();
    const shape = (provider: string, { method, path, body }: Asked) => {
      const place = path.replace('{location}', '/users/x').replace(/^(\/\w+)\/[^/]+/, '$1/{id}');
      return `${provider}: ${method} ${place} ${JSON.stringify(typesOf(body ?? {}))}`;
    };
    const spy = (provider: RestService) => {
      const send = async (method: string, path: string, { body }: { readonly body?: unknown } = {}) => {
        seen.add(shape(provider, { method, path, ...(body === undefined ? {} : { body: { ...body } }) }));
        return { status: 200, headers: {}, body: Buffer.from('{}') };
      };
      return { send, request: send } as unknown as HttpClient;
    };
    const order = { id: crypto.randomUUID(), product_id: 1, quantity: 2, user_id: 'u-7', total: 49.8 } as Order;
    const act = remoteActions({ inventory: spy('inventory-service'), payment: spy('payment-service') });
    for (const action of ['reserve', 'charge', 'refund', 'release'] as const) await act(action, order);
    await remoteUsers(spy('user-service'))('u-7');
    expect([...seen].sort()).toEqual([...new Set(expectations.map((it) => shape(it.provider, it.ask)))].sort());
  });
});

describe('the recorded order events', () => {
  it.each(Object.entries(orderSubscriptions))('are read by %s as far as it subscribes', (_name, { types }) => {
    for (const type of types) {
      const event = events.find((it) => it.type === type);
      const { headers, body } = event ?? { headers: {}, body: {} };
      const content = Buffer.from(JSON.stringify(body));
      expect(readOrderEvent({ content, properties: { messageId: 'id', type, headers } }, types)).toEqual({
        kind: 'order event',
        message: { id: 'id', type, event: body },
      });
    }
  });

  it('are what order-service publishes', async () => {
    const { services, broker } = shop;
    const tap = await tapOrderEvents(broker);
    const user = await ask(`${services['user-service'].url}/users`, { name: 'Grace', email: 'grace@example.com' });
    const stock = services['inventory-service'].url;
    const soldOut = { method: 'PUT', body: '{"available":0}', headers: { 'content-type': 'application/json' } };
    expect((await fetch(`${stock}/stock/5`, soldOut)).status).toBe(200);
    for (const product_id of [4, 5]) {
      const order = { product_id, quantity: 1, user_id: user.body.id as string };
      expect((await ask(`${services['order-service'].url}/orders`, order)).status).toBe(201);
    }
    await eventually(async () => expect(await depth(broker, tap)).toBe(4), { withinMs: 20_000 });
    const published = await drain(broker, tap);
    for (const { type, routingKey, headers, body } of events) {
      const message = published.find((it) => it.properties.type === type);
      expect(message?.fields.routingKey).toBe(routingKey);
      expect(message?.properties.headers).toMatchObject(headers);
      const content = JSON.parse(message?.content.toString() ?? '{}') as Record<string, unknown>;
      expect(typesOf(content), type).toEqual(typesOf(body));
    }
  });
});
