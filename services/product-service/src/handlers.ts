import { deprecated, versioned } from '@microservice-platform/common';
import type { FastifyInstance } from 'fastify';
import { type Products, productById, productPage, removeProduct, replaceProduct } from './products.ts';
import { newProduct, pageRequest, productId } from './validator.ts';

interface OneProduct {
  Params: { id: string };
}

/** Version 1 of the list: products without the `next` of a page, so that nobody could tell whether there are more. */
const bareList = {
  since: new Date('2026-11-01T00:00:00Z'),
  sunset: new Date('2027-11-01T00:00:00Z'),
  successor: '/v2/products',
};

/** The REST side of the product service. A request that nobody waits for any more ends its query. */
export function productRoutes(app: FastifyInstance, products: Products): void {
  versioned(app, 2, (api) => {
    api.get('/products', async ({ query, abandoned }) => productPage(products, pageRequest(query), abandoned));
  });
  deprecated(app, 1, bareList, (api) => {
    api.get('/products', async ({ query, abandoned }) => {
      const { items } = await productPage(products, pageRequest(query), abandoned);
      return items;
    });
  });

  versioned(app, 1, (api) => {
    api.get<OneProduct>('/products/:id', async ({ params, abandoned }) =>
      productById(products, productId(params.id), abandoned),
    );

    api.post('/products', async ({ body, abandoned }, reply) => {
      const product = await products.add(newProduct(body), abandoned);
      return reply.code(201).header('location', `/products/${product.id}`).send(product);
    });

    api.put<OneProduct>('/products/:id', async ({ params, body, abandoned }) =>
      replaceProduct(products, { id: productId(params.id), ...newProduct(body) }, abandoned),
    );

    api.delete<OneProduct>('/products/:id', async ({ params, abandoned }, reply) => {
      await removeProduct(products, productId(params.id), abandoned);
      return reply.code(204).send();
    });
  });
}
