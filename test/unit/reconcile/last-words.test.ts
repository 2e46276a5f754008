import { describe, expect, it } from 'vitest';
import { lastWords } from '../../../operator/src/reconcile/last-words.ts';

describe('lastWords', () => {
  it('is the last line, without the rest', () => {
    expect(lastWords('starting\n  at x\nError: no database\n\n')).toBe('Error: no database');
    expect(lastWords('')).toBe('');
    expect(lastWords('x'.repeat(500))).toHaveLength(200);
  });

  it.for([
    'connecting to postgres://orders:hunter2@db:5432/orders',
    'DB_PASSWORD=hunter2 is not accepted',
    'password: hunter2',
    '{"level":50,"db_password":"hunter2","msg":"no"}',
    "{ apiKey: 'hunter2' }",
    'token=hunter2&x=1',
    'Authorization: Bearer hunter2',
    'client_secret = "hunter2"',
  ])('blanks what looks like a secret in: %s', (line) => {
    expect(lastWords(line)).not.toContain('hunter2');
    expect(lastWords(line)).toContain('***');
  });

  it('leaves ordinary words alone', () => {
    const line = 'Error: connect ECONNREFUSED 10.96.0.12:5432 (see http://docs:80/a)';
    expect(lastWords(line)).toBe(line);
  });
});
