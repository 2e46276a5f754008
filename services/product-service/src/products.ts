import { Problem } from '@microservice-platform/common';

export interface NewProduct {
  readonly name: string;
  /** In the shop's currency: not negative, at most two decimals. */
  readonly price: number;
}

export interface Product extends NewProduct {
  readonly id: number;
}

/** Where products are kept. */
export interface Products {
  readonly find: (id: number) => Promise<Product | undefined>;
  /** At most `count` products whose id is greater than `after`, by ascending id. */
  readonly following: (after: number, count: number) => Promise<readonly Product[]>;
  readonly add: (product: NewProduct) => Promise<Product>;
}

export interface Page {
  readonly items: readonly Product[];
  /** What to pass as `after` for the next page; null on the last one. */
  readonly next: number | null;
}

/** @throws Problem `not_found` */
export async function productById(products: Products, id: number): Promise<Product> {
  const product = await products.find(id);
  if (product === undefined) throw new Problem('not_found', `there is no product ${id}`);
  return product;
}

/** One page of all products. Paging by id stays right while products are added. */
export async function productPage(
  products: Products,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<Page> {
  const found = await products.following(after, limit + 1);
  const items = found.slice(0, limit);
  return { items, next: found.length > limit ? (items.at(-1)?.id ?? null) : null };
}
