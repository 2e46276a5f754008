import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pathFault } from '../../../services/api-gateway/src/request-path.ts';

describe('a path at the gateway', () => {
  it.each(['/', '/products', '/products/', '/orders/a-b_c.d~1', '/a/%C3%A4', '/a/;v=1,2', '/.well-known/jwks.json'])(
    'may be %s',
    (path) => {
      expect(pathFault(path)).toBeUndefined();
    },
  );

  it.each([
    ['', 'characters'],
    ['products', 'characters'],
    ['/a b', 'characters'],
    ['/ä', 'characters'],
    ['/a\\b', 'characters'],
    ['/a%', 'characters'],
    ['/a%4', 'characters'],
    ['/a%2Fb', 'hides'],
    ['/%2e%2e/b', 'hides'],
    ['/a%00', 'hides'],
    ['/a%25', 'hides'],
    ['/a/../b', 'dot segment'],
    ['/a/.', 'dot segment'],
    ['//a', 'empty segment'],
    ['/a//b', 'empty segment'],
  ])('is refused as %s', (path, why) => {
    expect(pathFault(path)).toContain(why);
  });

  it('that is taken has the same segments for whoever decodes it once, twice, or resolves its dots', () => {
    const piece = fc.constantFrom(
      'a',
      '.',
      '..',
      '%2e',
      '%2F',
      '%5c',
      '%25',
      '2e',
      '/',
      '//',
      '\\',
      ';',
      '%C3%A4',
      '%00',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const path = `/${pieces.join('')}`;
        fc.pre(pathFault(path) === undefined);
        const segments = path.split('/').map(decodeURIComponent);
        expect(new URL(path, 'http://gateway').pathname).toBe(path);
        expect(decodeURIComponent(path).split(/[/\\]/)).toEqual(segments);
        expect(segments.map(decodeURIComponent)).toEqual(segments);
      }),
    );
  });
});
