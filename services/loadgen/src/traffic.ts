import { randomNumbers } from './random.ts';

/** Who takes part: users of this run, and products of the shop. */
export interface Cast {
  readonly userIds: readonly string[];
  readonly productIds: readonly number[];
}

export type Wanted =
  | { readonly kind: 'list_products' }
  | { readonly kind: 'read_product'; readonly productId: number }
  | { readonly kind: 'place_order'; readonly productId: number; readonly userId: string; readonly quantity: number }
  /** Ids of orders are the shop's to give: `pick`, from 0 to below 1, says which of those it has given. */
  | { readonly kind: 'read_order' | 'read_notifications'; readonly pick: number }
  | { readonly kind: 'read_user'; readonly userId: string }
  | { readonly kind: 'read_stock'; readonly productId: number }
  | { readonly kind: 'list_sales' };

export type Kind = Wanted['kind'];

/** Of twenty requests, so many: a customer's, and now and then one to each other service that the gateway has. */
const mix = {
  list_products: 3,
  read_product: 5,
  place_order: 5,
  read_order: 3,
  read_notifications: 1,
  read_user: 1,
  read_stock: 1,
  list_sales: 1,
} as const satisfies Record<Kind, number>;
const deck = Object.entries(mix).flatMap(([kind, count]) => Array<Kind>(count).fill(kind as Kind));
const maxQuantity = 3;

/** What to ask the shop for, without end: the same for the same seed and cast. */
export function* traffic(seed: number, { userIds, productIds }: Cast): Generator<Wanted, never, void> {
  const random = randomNumbers(seed);
  const oneOf = <T>(all: readonly T[]) => all[Math.floor(random() * all.length)] as T;
  for (;;) {
    const kind = oneOf(deck);
    switch (kind) {
      case 'list_products':
      case 'list_sales':
        yield { kind };
        break;
      case 'read_product':
      case 'read_stock':
        yield { kind, productId: oneOf(productIds) };
        break;
      case 'read_user':
        yield { kind, userId: oneOf(userIds) };
        break;
      case 'place_order': {
        const quantity = 1 + Math.floor(random() * maxQuantity);
        yield { kind, productId: oneOf(productIds), userId: oneOf(userIds), quantity };
        break;
      }
      case 'read_order':
      case 'read_notifications':
        yield { kind, pick: random() };
        break;
    }
  }
}
