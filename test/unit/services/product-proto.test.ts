import { describe, expect, it } from 'vitest';
import { productService } from '../../../services/product-service/src/grpc.ts';

describe('the gRPC contract of the product service', () => {
  const { GetProduct, ListProducts } = productService();

  it('is the method product.ProductService/GetProduct', () => {
    expect(GetProduct?.path).toBe('/product.ProductService/GetProduct');
  });

  it('asks with the id in field 1', () => {
    expect(GetProduct?.requestSerialize({ id: 7 })).toEqual(Buffer.from([(1 << 3) | 0, 7]));
  });

  it('streams products from product.ProductService/ListProducts, asked with the page size in field 1', () => {
    expect(ListProducts).toMatchObject({
      path: '/product.ProductService/ListProducts',
      requestStream: false,
      responseStream: true,
    });
    expect(ListProducts?.requestSerialize({ pageSize: 7 })).toEqual(Buffer.from([(1 << 3) | 0, 7]));
    const product = { id: 1, name: 'Teapot', price: 24.9 };
    expect(ListProducts?.responseSerialize(product)).toEqual(GetProduct?.responseSerialize(product));
  });

  it('answers with id, name and price in fields 1, 2 and 3', () => {
    const price = Buffer.alloc(8);
    price.writeDoubleLE(24.9);
    const wire = Buffer.concat([
      Buffer.from([(1 << 3) | 0, 1]), // varint
      Buffer.from([(2 << 3) | 2, 6]), // six bytes of text
      Buffer.from('Teapot'),
      Buffer.from([(3 << 3) | 1]), // eight bytes, little endian
      price,
    ]);
    expect(GetProduct?.responseSerialize({ id: 1, name: 'Teapot', price: 24.9 })).toEqual(wire);
    expect(GetProduct?.responseDeserialize(wire)).toEqual({ id: 1, name: 'Teapot', price: 24.9 });
  });
});
