import { describe, expect, it } from 'vitest';
import { withLocalImages } from '../../../cluster/images.ts';

const local = new Map([['ghcr.io/acme/orders', 'localhost/acme/orders:abc']]);

describe('local images', () => {
  it.each([
    ['      image: ghcr.io/acme/orders:1.4.2', '      image: localhost/acme/orders:abc'],
    ['image: "ghcr.io/acme/orders:1.4.2"', 'image: localhost/acme/orders:abc'],
    ['  - image: ghcr.io/acme/orders', '  - image: localhost/acme/orders:abc'],
  ])('take the place of the published one in: %s', (line, replaced) => {
    expect(withLocalImages(line, local)).toBe(replaced);
  });

  it.each([
    'image: ghcr.io/acme/orders-admin:1',
    'image: registry:5000/acme/orders:1',
    '# image of ghcr.io/acme/orders',
  ])('leave alone: %s', (line) => {
    expect(withLocalImages(line, local)).toBe(line);
  });

  it('are put everywhere in a manifest, and nothing else is touched', () => {
    const manifest =
      'kind: Pod\nspec:\n  containers:\n    - name: a\n      image: ghcr.io/acme/orders:1\n    - name: b\n      image: other:1\n';
    expect(withLocalImages(manifest, local)).toBe(
      manifest.replace('ghcr.io/acme/orders:1', 'localhost/acme/orders:abc'),
    );
  });
});
