import type { FastifyInstance } from 'fastify';
import { type Products, productById, productPage } from './products.ts';
import { newProduct, pageRequest, productId } from './validator.ts';

/** The REST side of the product service. */
export function productRoutes(app: FastifyInstance, products: Products): void {
  app.get('/products', async ({ query }) => productPage(products, pageRequest(query)));

  app.get<{ Params: { id: string } }>('/products/:id', async ({ params }) =>
    productById(products, productId(params.id)),
  );

  app.post('/products', async ({ body }, reply) => {
    const product = await products.add(newProduct(body));
    return reply.code(201).header('location', `/products/${product.id}`).send(product);
  });
}
