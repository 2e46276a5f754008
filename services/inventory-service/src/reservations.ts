import { Problem } from '@microservice-platform/common';

/** What an order needs. */
export interface NewReservation {
  readonly order_id: string;
  readonly product_id: number;
  readonly quantity: number;
}

export interface Reservation {
  readonly order_id: string;
  /** Null when the order was released before anything was reserved for it. */
  readonly product_id: number | null;
  readonly quantity: number;
  readonly status: 'reserved' | 'released';
  /** RFC 3339. */
  readonly created_at: string;
  /** RFC 3339; null while reserved. */
  readonly released_at: string | null;
}

/** Where reservations are kept, beside the stock that they are taken from. */
export interface Reservations {
  readonly find: (orderId: string) => Promise<Reservation | undefined>;
  /**
   * Keeps the reservation and takes its pieces from the stock: both, or neither. Of an order that is known already
   * nothing changes: then what is kept of it is returned, and `made` is false.
   *
   * @throws Problem `out_of_stock`
   */
  readonly addOnce: (wanted: NewReservation) => Promise<{ readonly made: boolean; readonly reservation: Reservation }>;
  /** Marks the order as released and puts its pieces back, once. An order never seen is kept as released, too. */
  readonly release: (orderId: string) => Promise<Reservation>;
}

/**
 * Reserves what an order needs. Asking again for the same changes nothing. An order has one reservation in its life:
 * once released, also before it was made, it is never made again, so that a request that was held up cannot take
 * stock for an order that was given up.
 *
 * @throws Problem `out_of_stock`, of which nothing is kept, or `conflict`
 */
export async function reserve(
  reservations: Reservations,
  wanted: NewReservation,
): Promise<{ readonly made: boolean; readonly reservation: Reservation }> {
  const { made, reservation } = await reservations.addOnce(wanted);
  const { order_id, product_id, quantity, status } = reservation;
  if (status === 'released') throw new Problem('conflict', `order ${order_id} was released and reserves nothing more`);
  if (product_id !== wanted.product_id || quantity !== wanted.quantity) {
    throw new Problem(
      'conflict',
      `order ${order_id} has reserved something else: ${quantity} of product ${product_id}`,
    );
  }
  return { made, reservation };
}

/** @throws Problem `not_found` */
export async function reservationOf(reservations: Reservations, orderId: string): Promise<Reservation> {
  const reservation = await reservations.find(orderId);
  if (reservation === undefined) throw new Problem('not_found', `there is no reservation of order ${orderId}`);
  return reservation;
}

export function outOfStock({ product_id, quantity }: NewReservation): Problem {
  return new Problem('out_of_stock', `fewer than ${quantity} pieces of product ${product_id} are available`);
}
