import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orderSubscriptions } from '../../../services/common/src/messages/order-events.ts';
import { type IncomingMessage, readOrderEvent } from '../../../services/common/src/messages/read-order-event.ts';
import { orderReceived } from '../../../services/notification-service/src/notifications.ts';

const event = {
  order_id: '2f0c31ea-6f2c-4c5c-9a5e-6b6c3b0a8f11',
  product_id: 2,
  quantity: 3,
  user_id: 'u-7',
};

function message(body: unknown, properties: IncomingMessage['properties'] = {}): IncomingMessage {
  const content = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  return { content, properties: { messageId: 'm-1', type: 'OrderCreated', ...properties } };
}

const readMessage = (it: IncomingMessage) => readOrderEvent(it, orderSubscriptions.notification.types);

describe('a message of the queue', () => {
  it('is read with its id', () => {
    expect(readMessage(message(event))).toEqual({
      kind: 'order event',
      message: { id: 'm-1', type: 'OrderCreated', event },
    });
  });

  it('may hold fields that are not known here', () => {
    expect(readMessage(message({ ...event, coupon: 'x' }))).toMatchObject({ kind: 'order event' });
  });

  it.each<[string, IncomingMessage, string]>([
    ['no JSON', message(Buffer.from('order 17')), 'the body is not a JSON object'],
    ['a list', message([]), 'the body is not a JSON object'],
    ['no id', message(event, { messageId: undefined }), 'the message has no id'],
    ['an id that no database holds', message(event, { messageId: 'a\0' }), 'the message has no id'],
    ['another type', message(event, { type: 'OrderShipped' }), 'the type of the message is not OrderCreated'],
    ['a newer version', message(event, { headers: { 'schema-version': 2 } }), 'schema version 2 is not known here'],
    ['a bad order', message({ ...event, order_id: '17' }), 'order_id is not a UUID'],
    ['a bad product', message({ ...event, product_id: '2' }), 'product_id is not a positive integer'],
    ['a bad quantity', message({ ...event, quantity: 2 ** 31 }), 'quantity is not a positive integer'],
    ['no user', message({ ...event, user_id: undefined }), 'user_id is not a text'],
    ['a user that no database holds', message({ ...event, user_id: 'a\0' }), 'user_id is not a text'],
  ])('with %s is unusable, and the reason is said', (_, unusable, reason) => {
    expect(readMessage(unusable)).toEqual({ kind: 'unusable', reason });
  });

  it('never makes the reader throw, whatever it is', () => {
    const header = fc.oneof(fc.constant(undefined), fc.dictionary(fc.string(), fc.anything()));
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.uint8Array()), fc.anything(), header, (body, type, headers) => {
        const content = body instanceof Uint8Array ? Buffer.from(body) : body;
        expect(readMessage(message(content, { type, headers })).kind).toMatch(/^(unusable|order event)$/);
      }),
    );
  });
});

describe('the notification of an order', () => {
  it.each([
    [1, 'We have received your order of 1 piece of product 2.'],
    [3, 'We have received your order of 3 pieces of product 2.'],
  ])('counts %i in words of the customer', (quantity, text) => {
    expect(orderReceived({ ...event, quantity })).toMatchObject({
      order_id: event.order_id,
      user_id: 'u-7',
      message: text,
    });
  });
});
