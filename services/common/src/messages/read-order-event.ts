import { isUuid } from '../serving/field-faults.ts';
import { eventHeaders, type OrderEvent, type OrderEventType, orderEvents } from './order-events.ts';

/** What arrives from the broker, as far as it is read. */
export interface IncomingMessage {
  readonly content: Buffer;
  readonly properties: {
    readonly messageId?: unknown;
    readonly type?: unknown;
    readonly headers?: Readonly<Record<string, unknown>> | undefined;
  };
}

export interface OrderEventMessage {
  readonly id: string;
  readonly type: OrderEventType;
  readonly event: OrderEvent;
}

export type ReadOrderEvent =
  | { readonly kind: 'order event'; readonly message: OrderEventMessage }
  | { readonly kind: 'unusable'; readonly reason: string };

const maxInteger = 2_147_483_647;
const maxMessageIdLength = 255;

/**
 * Reads a message as an event of one of the `types`. Fields that are not known are ignored: a publisher may add some.
 * Never throws.
 */
export function readOrderEvent(
  { content, properties }: IncomingMessage,
  types: readonly OrderEventType[],
): ReadOrderEvent {
  const { messageId: id, headers } = properties;
  if (!isText(id) || id.length > maxMessageIdLength) return unusable('the message has no id');
  const type = types.find((it) => it === properties.type);
  if (type === undefined) return unusable(`the type of the message is not ${types.join(' or ')}`);
  const version = headers?.[eventHeaders.schemaVersion] ?? orderEvents.schemaVersion;
  if (version !== orderEvents.schemaVersion)
    return unusable(`schema version ${JSON.stringify(version)} is not known here`);
  const body = parsed(content);
  if (body === undefined) return unusable('the body is not a JSON object');
  const { order_id, product_id, quantity, user_id } = body;
  if (isUuid(order_id) && isCount(product_id) && isCount(quantity) && isText(user_id))
    return { kind: 'order event', message: { id, type, event: { order_id, product_id, quantity, user_id } } };
  const faults = [
    ...(isUuid(order_id) ? [] : ['order_id is not a UUID']),
    ...(isCount(product_id) ? [] : ['product_id is not a positive integer']),
    ...(isCount(quantity) ? [] : ['quantity is not a positive integer']),
    ...(isText(user_id) ? [] : ['user_id is not a text']),
  ];
  return unusable(faults.join('; '));
}

function parsed(content: Buffer): Record<string, unknown> | undefined {
  try {
    const body: unknown = JSON.parse(content.toString('utf8'));
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? { ...body } : undefined;
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= maxInteger;
}

/** A text that the database can hold. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.isWellFormed() && !value.includes('\0');
}

function unusable(reason: string): ReadOrderEvent {
  return { kind: 'unusable', reason };
}
