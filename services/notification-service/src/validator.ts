import { Problem } from '@microservice-platform/common';
import { eventHeaders, type OrderCreated, orderEvents } from '@microservice-platform/common/order-events';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const maxInteger = 2_147_483_647;
const maxMessageIdLength = 255;

/** The order asked for in a query. @throws Problem `invalid_request` */
export function orderIdOf(query: unknown): string {
  const { order_id } = query as Record<string, unknown>;
  if (order_id === undefined) throw invalid('order_id is required');
  if (typeof order_id !== 'string' || !uuid.test(order_id)) throw invalid('order_id is not a UUID');
  return order_id.toLowerCase();
}

/** What arrives from the broker, as far as it matters here. */
export interface IncomingMessage {
  readonly content: Buffer;
  readonly properties: {
    readonly messageId?: unknown;
    readonly type?: unknown;
    readonly headers?: Readonly<Record<string, unknown>> | undefined;
  };
}

export type ReadMessage =
  | { readonly kind: 'order created'; readonly messageId: string; readonly event: OrderCreated }
  | { readonly kind: 'unusable'; readonly reason: string };

/** Reads a message of the queue. Fields that are not known are ignored: a publisher may add some. Never throws. */
export function readMessage({ content, properties }: IncomingMessage): ReadMessage {
  const { messageId, type, headers } = properties;
  if (typeof messageId !== 'string' || messageId === '' || messageId.length > maxMessageIdLength)
    return unusable('the message has no id');
  if (type !== orderEvents.type) return unusable(`the type of the message is not ${orderEvents.type}`);
  const version = headers?.[eventHeaders.schemaVersion] ?? orderEvents.schemaVersion;
  if (version !== orderEvents.schemaVersion)
    return unusable(`schema version ${JSON.stringify(version)} is not known here`);
  const body = parsed(content);
  if (body === undefined) return unusable('the body is not a JSON object');
  const faults = [
    ...(isId(body.order_id) ? [] : ['order_id is not a UUID']),
    ...(isCount(body.product_id) ? [] : ['product_id is not a positive integer']),
    ...(isCount(body.quantity) ? [] : ['quantity is not a positive integer']),
    ...(isText(body.user_id) ? [] : ['user_id is not a text']),
  ];
  if (faults.length > 0) return unusable(faults.join('; '));
  return { kind: 'order created', messageId, event: body as unknown as OrderCreated };
}

function parsed(content: Buffer): Record<string, unknown> | undefined {
  try {
    const body: unknown = JSON.parse(content.toString('utf8'));
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? { ...body } : undefined;
  } catch {
    return undefined;
  }
}

function isId(value: unknown): boolean {
  return typeof value === 'string' && uuid.test(value);
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= maxInteger;
}

/** A text that the database can hold. */
function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.isWellFormed() && !value.includes('\0');
}

function unusable(reason: string): ReadMessage {
  return { kind: 'unusable', reason };
}

function invalid(message: string): Problem {
  return new Problem('invalid_request', message, { errors: [{ field: 'order_id', message }] });
}
