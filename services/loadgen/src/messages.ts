import type { Message } from './gateway.ts';
import type { Wanted } from './traffic.ts';

/** So many of the orders placed last can be read back. */
const keptOrders = 1_000;
/** The order of which nobody was notified. */
const nobodys = '00000000-0000-4000-8000-000000000000';

/** Makes requests of what is wanted, as whoever is signed in, and remembers the ids of the orders that were accepted. */
export function messages(authorization: () => string): (wanted: Wanted, requestId: string) => Message {
  const orderIds: string[] = [];
  const placed = (id: unknown): boolean => {
    if (typeof id !== 'string') return false;
    orderIds.push(id);
    if (orderIds.length > keptOrders) orderIds.shift();
    return true;
  };
  const oneOf = (pick: number) => orderIds[Math.floor(pick * orderIds.length)];

  return (wanted, requestId) => {
    const headers = { authorization: authorization(), 'x-request-id': requestId };
    const get = { method: 'GET', status: 200, headers } as const;
    switch (wanted.kind) {
      case 'list_products':
        return { ...get, path: '/products', accept: isPage };
      case 'read_product':
        return { ...get, path: `/products/${wanted.productId}`, accept: ({ id }) => id === wanted.productId };
      case 'place_order': {
        const order = { product_id: wanted.productId, quantity: wanted.quantity, user_id: wanted.userId };
        return {
          method: 'POST',
          path: '/orders',
          body: order,
          headers: { ...headers, 'idempotency-key': `"${requestId}"` },
          status: 201,
          accept: ({ id, user_id }) => user_id === order.user_id && placed(id),
        };
      }
      case 'read_order': {
        const id = oneOf(wanted.pick);
        if (id === undefined) return { ...get, path: '/orders', accept: isPage }; // none is known yet
        return { ...get, path: `/orders/${id}`, accept: (body) => body.id === id };
      }
      case 'read_notifications':
        return { ...get, path: `/notifications?order_id=${oneOf(wanted.pick) ?? nobodys}`, accept: isPage };
      case 'read_user':
        return { ...get, path: `/users/${wanted.userId}`, accept: ({ id }) => id === wanted.userId };
      case 'read_stock':
        return { ...get, path: `/stock/${wanted.productId}`, accept: (body) => body.product_id === wanted.productId };
      case 'list_sales':
        return { ...get, path: '/analytics/products', accept: isPage };
    }
  };
}

function isPage({ items }: Readonly<Record<string, unknown>>): boolean {
  return Array.isArray(items);
}
