import { Problem } from '@microservice-platform/common';

/** The pieces of one product. Reserving and releasing moves pieces from one side to the other; their sum stays. */
export interface Stock {
  readonly product_id: number;
  /** Promised to nobody. Never below zero. */
  readonly available: number;
  /** Promised to orders. */
  readonly reserved: number;
}

/** Where stock is kept. */
export interface Stocks {
  readonly find: (productId: number) => Promise<Stock | undefined>;
  /** Sets what is available, whatever it was; reservations stay as they are. `created`: the product had no stock before. */
  readonly set: (productId: number, available: number) => Promise<{ readonly created: boolean; readonly stock: Stock }>;
}

/** @throws Problem `not_found` */
export async function stockOf(stocks: Stocks, productId: number): Promise<Stock> {
  const stock = await stocks.find(productId);
  if (stock === undefined) throw new Problem('not_found', `there is no stock of product ${productId}`);
  return stock;
}
