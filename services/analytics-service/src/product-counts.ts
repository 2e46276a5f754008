import type { OrderEvent, OrderEventType } from '@microservice-platform/common/order-events';

/** What became of the orders for one product. */
export interface ProductCounts {
  readonly product_id: number;
  readonly created: number;
  readonly completed: number;
  readonly compensated: number;
  /** Pieces, over all orders that were created. */
  readonly quantity: number;
}

/** Where the counts are read. */
export interface Counts {
  /** At most `count` products whose id is greater than `after`, by ascending id. */
  readonly following: (after: number, count: number) => Promise<readonly ProductCounts[]>;
}

export interface Page {
  readonly items: readonly ProductCounts[];
  /** What to pass as `after` for the next page; null on the last one. */
  readonly next: number | null;
}

/** What one event adds. Sums do not depend on the order in which events arrive. */
export function countsOf(type: OrderEventType, { product_id, quantity }: OrderEvent): ProductCounts {
  return {
    product_id,
    created: type === 'OrderCreated' ? 1 : 0,
    completed: type === 'OrderCompleted' ? 1 : 0,
    compensated: type === 'OrderCompensated' ? 1 : 0,
    quantity: type === 'OrderCreated' ? quantity : 0,
  };
}

/** One page of the products that were ever ordered. Paging by id stays right while products are added. */
export async function countsPage(
  counts: Counts,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<Page> {
  const found = await counts.following(after, limit + 1);
  const items = found.slice(0, limit);
  return { items, next: found.length > limit ? (items.at(-1)?.product_id ?? null) : null };
}
