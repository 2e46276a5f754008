import { Problem } from '@microservice-platform/common';

export interface NewProduct {
  readonly name: string;
  /** In the shop's currency: not negative, at most two decimals. */
  readonly price: number;
}

export interface Product extends NewProduct {
  readonly id: number;
}

/** Where products are kept. An aborted signal ends the call. */
export interface Products {
  readonly find: (id: number, signal?: AbortSignal) => Promise<Product | undefined>;
  /** At most `count` products whose id is greater than `after`, by ascending id. */
  readonly following: (after: number, count: number, signal?: AbortSignal) => Promise<readonly Product[]>;
  readonly add: (product: NewProduct, signal?: AbortSignal) => Promise<Product>;
  /** False when there is none with this id. */
  readonly replace: (product: Product, signal?: AbortSignal) => Promise<boolean>;
  /** False when there is none with this id. */
  readonly remove: (id: number, signal?: AbortSignal) => Promise<boolean>;
}

export interface PageRequest {
  readonly after: number;
  readonly limit: number;
}

export interface Page {
  readonly items: readonly Product[];
  /** What to pass as `after` for the next page; null on the last one. */
  readonly next: number | null;
}

/** @throws Problem `not_found` */
export async function productById(products: Products, id: number, signal?: AbortSignal): Promise<Product> {
  const product = await products.find(id, signal);
  if (product === undefined) throw noProduct(id);
  return product;
}

/** @throws Problem `not_found`: ids are given by us, so replacing never makes a product */
export async function replaceProduct(products: Products, product: Product, signal?: AbortSignal): Promise<Product> {
  if (!(await products.replace(product, signal))) throw noProduct(product.id);
  return product;
}

/** @throws Problem `not_found` */
export async function removeProduct(products: Products, id: number, signal?: AbortSignal): Promise<void> {
  if (!(await products.remove(id, signal))) throw noProduct(id);
}

/** One page of all products. Paging by id stays right while products are added. */
export async function productPage(
  products: Products,
  { after, limit }: PageRequest,
  signal?: AbortSignal,
): Promise<Page> {
  const found = await products.following(after, limit + 1, signal);
  const items = found.slice(0, limit);
  return { items, next: found.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/** Every product by ascending id; a page of them is read once the one before has been taken. */
export async function* everyProduct(
  products: Products,
  pageSize: number,
  signal?: AbortSignal,
): AsyncGenerator<Product, void, void> {
  for (let after: number | null = 0; after !== null; ) {
    const page: Page = await productPage(products, { after, limit: pageSize }, signal);
    yield* page.items;
    after = page.next;
  }
}

function noProduct(id: number): Problem {
  return new Problem('not_found', `there is no product ${id}`);
}
