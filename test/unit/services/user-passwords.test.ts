import { describe, expect, it } from 'vitest';
import { scryptPasswords } from '../../../services/user-service/src/passwords.ts';

const { hash, matches } = scryptPasswords();

describe('a password', { timeout: 60_000 }, () => {
  // each is made to take long, and tests run beside each other
  it('is known again, and no other one is taken for it', async () => {
    const kept = await hash('correct horse');
    expect(await matches('correct horse', kept)).toBe(true);
    for (const other of ['correct horsf', '']) {
      expect(await matches(other, kept)).toBe(false);
    }
  });

  it('is known again however its letters were composed', async () => {
    expect(await matches('pa\u0308sswort', await hash('p\u00e4sswort'))).toBe(true);
  });

  it('is kept neither as it is nor twice in the same way', async () => {
    const [one, two] = await Promise.all([hash('correct horse'), hash('correct horse')]);
    expect(one).toMatch(/^\$scrypt\$ln=14,r=8,p=5\$[\w+/=]{24}\$[\w+/=]{44}$/);
    expect(one).not.toBe(two);
  });

  it('that was kept at another cost is known again', async () => {
    // RFC 7914, section 12, cut to our length: scrypt of "pleaseletmein" with the salt "SodiumChloride"
    const key = Buffer.from('7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2', 'hex');
    const kept = `$scrypt$ln=14,r=8,p=1$${Buffer.from('SodiumChloride').toString('base64')}$${key.toString('base64')}`;
    expect(await matches('pleaseletmein', kept)).toBe(true);
    expect(await matches('pleaseletmeout', kept)).toBe(false);
  });

  it('matches nothing where none is kept', async () => {
    expect(await matches('', undefined)).toBe(false);
  });

  it('is not computed while eight others are: the caller is told to try again', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => matches('guess', undefined)));
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused).toEqual(
      Array(2).fill({ status: 'rejected', reason: expect.objectContaining({ code: 'unavailable' }) }),
    );
    expect(await matches('guess', undefined)).toBe(false);
  });
});
