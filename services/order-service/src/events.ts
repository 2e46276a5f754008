/** What was agreed when an order was placed. */
export interface Placed {
  readonly product_id: number;
  readonly quantity: number;
  readonly user_id: string;
  /** In the shop's currency, rounded to cents. */
  readonly total: number;
  /** What was not known for sure, since the service that knows it did not answer. */
  readonly degraded: readonly Degraded[];
}

/** `price`: the last price that was known. `user`: nobody could tell whether the user exists. */
export type Degraded = 'price' | 'user';

/**
 * Everything that can happen to an order. Events are appended and kept for ever; a type is never changed, only a new
 * one added. An order is what its events say, see order.ts.
 */
export type OrderEvent =
  | ({ readonly type: 'OrderPlaced' } & Placed)
  | { readonly type: 'StockReserved' }
  | { readonly type: 'StockRefused'; readonly reason: string }
  | { readonly type: 'PaymentCharged' }
  | { readonly type: 'PaymentRefused'; readonly reason: string }
  | { readonly type: 'OrderCompleted' }
  /** The order did not get through in time: what was done, or may have been done, is undone. */
  | { readonly type: 'OrderExpired'; readonly reason: string }
  | { readonly type: 'PaymentRefunded' }
  | { readonly type: 'StockReleased' }
  | { readonly type: 'OrderCompensated' };

/** An event as it is kept. */
export interface Recorded {
  /** From 1, without gaps. */
  readonly version: number;
  readonly event: OrderEvent;
  readonly at: Date;
}
