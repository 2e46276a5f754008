import { describe, expect, it } from 'vitest';
import type { Span } from '../../../dashboards/contract/signal.ts';
import { attributeFaults, isNamed } from '../../../dashboards/contract/span-match.ts';

const declared: Span = {
  name: '{http.request.method} {http.route}',
  kind: 'server',
  always: ['http.request.method', 'http.route'],
  sometimes: ['error.type'],
  meaning: 'A request.',
};
const attributes = { 'http.request.method': 'GET', 'http.route': '/orders/:id' };

describe('a span', () => {
  it('is known by its kind, and by a name that its attributes fill in', () => {
    expect(isNamed(declared, { name: 'GET /orders/:id', kind: 'server', attributes })).toBe(true);
    expect(isNamed(declared, { name: 'GET /orders/7', kind: 'server', attributes })).toBe(false);
    expect(isNamed(declared, { name: 'GET /orders/:id', kind: 'client', attributes })).toBe(false);
  });

  it('may have any word where its name has what is no attribute', () => {
    const process = { ...declared, name: 'process {queue}' };
    expect(isNamed(process, { name: 'process orders', kind: 'server', attributes })).toBe(true);
    expect(isNamed(process, { name: 'process two words', kind: 'server', attributes })).toBe(false);
  });

  it('is told of what it lacks, and of what nobody has declared', () => {
    const seen = {
      name: '',
      kind: 'server',
      attributes: { 'http.route': '/', 'error.type': '500', 'user.email': 'a' },
    };
    expect(attributeFaults(declared, seen)).toEqual(['without http.request.method', 'with user.email']);
  });
});
