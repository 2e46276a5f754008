import type { OrderEvent, Placed, Recorded } from './events.ts';

/** What a customer asks for. */
export interface OrderRequest {
  readonly product_id: number;
  readonly quantity: number;
  readonly user_id: string;
}

/**
 * `created`: accepted, its steps are being taken. `completed`: reserved and paid. `compensating`: it will not happen,
 * its steps are being undone. `compensated`: nothing is left of it but its record. The second and the last are final.
 */
export type OrderStatus = 'created' | 'completed' | 'compensating' | 'compensated';

/** `unknown`: asked for without an answer; it may have happened. */
export type StepStatus = 'pending' | 'done' | 'refused' | 'unknown' | 'undone';

export interface Step {
  readonly name: StepName;
  readonly status: StepStatus;
  /** When the status last changed, RFC 3339; null for a step that was never begun. */
  readonly at: string | null;
}

export type StepName = 'reserve' | 'charge';

/** An order as its events say. */
export interface Order extends Placed {
  readonly id: string;
  readonly status: OrderStatus;
  /** RFC 3339. */
  readonly created_at: string;
  /** Why it was compensated, or is about to be. */
  readonly reason: string | null;
  readonly steps: readonly Step[];
}

/** With the version of its last event, which the next one must follow. */
export interface VersionedOrder extends Order {
  readonly version: number;
}

/** @throws Error when the events are not the whole history of an order, in their order */
export function orderOf(id: string, history: readonly Recorded[]): VersionedOrder {
  const [first, ...rest] = history;
  if (first === undefined || first.event.type !== 'OrderPlaced') throw new Error(`order ${id} does not begin`);
  const { type: _, ...placed } = first.event;
  const begun: VersionedOrder = {
    id,
    ...placed,
    status: 'created',
    created_at: first.at.toISOString(),
    reason: null,
    steps: [
      { name: 'reserve', status: 'pending', at: null },
      { name: 'charge', status: 'pending', at: null },
    ],
    version: first.version,
  };
  return rest.reduce(evolved, begun);
}

/** The order after one more event. @throws Error when the event does not follow its last one */
export function evolved(order: VersionedOrder, { version, event, at }: Recorded): VersionedOrder {
  if (version !== order.version + 1) throw new Error(`event ${version} of order ${order.id} follows ${order.version}`);
  const step = (name: StepName, status: StepStatus) => ({
    steps: order.steps.map((it) => (it.name === name ? { name, status, at: at.toISOString() } : it)),
  });
  return { ...order, ...changeBy(order, event, step), version };
}

function changeBy(
  order: Order,
  event: OrderEvent,
  step: (name: StepName, status: StepStatus) => Pick<Order, 'steps'>,
): Partial<Order> {
  switch (event.type) {
    case 'OrderPlaced':
      throw new Error(`order ${order.id} was placed twice`);
    case 'StockReserved':
      return step('reserve', 'done');
    case 'StockRefused':
      return { ...step('reserve', 'refused'), status: 'compensating', reason: event.reason };
    case 'PaymentCharged':
      return step('charge', 'done');
    case 'PaymentRefused':
      return { ...step('charge', 'refused'), status: 'compensating', reason: event.reason };
    case 'OrderCompleted':
      return { status: 'completed' };
    case 'OrderExpired':
      return {
        ...step(statusOf(order, 'reserve') === 'pending' ? 'reserve' : 'charge', 'unknown'),
        status: 'compensating',
        reason: event.reason,
      };
    case 'PaymentRefunded':
      return step('charge', 'undone');
    case 'StockReleased':
      return step('reserve', 'undone');
    case 'OrderCompensated':
      return { status: 'compensated' };
  }
}

export function statusOf({ steps }: Order, name: StepName): StepStatus {
  return steps.find((it) => it.name === name)?.status ?? 'pending';
}
