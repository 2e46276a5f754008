import type { FastifyInstance } from 'fastify';
import { type Products, productById, productPage, removeProduct, replaceProduct } from './products.ts';
import { newProduct, pageRequest, productId } from './validator.ts';

interface OneProduct {
  Params: { id: string };
}

/** The REST side of the product service. A request that nobody waits for any more ends its query. */
export function productRoutes(app: FastifyInstance, products: Products): void {
  app.get('/products', async ({ query, abandoned }) => productPage(products, pageRequest(query), abandoned));

  app.get<OneProduct>('/products/:id', async ({ params, abandoned }) =>
    productById(products, productId(params.id), abandoned),
  );

  app.post('/products', async ({ body, abandoned }, reply) => {
    const product = await products.add(newProduct(body), abandoned);
    return reply.code(201).header('location', `/products/${product.id}`).send(product);
  });

  app.put<OneProduct>('/products/:id', async ({ params, body, abandoned }) =>
    replaceProduct(products, { id: productId(params.id), ...newProduct(body) }, abandoned),
  );

  app.delete<OneProduct>('/products/:id', async ({ params, abandoned }, reply) => {
    await removeProduct(products, productId(params.id), abandoned);
    return reply.code(204).send();
  });
}
