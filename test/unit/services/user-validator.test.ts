import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Problem } from '../../../services/common/src/serving/problem.ts';
import { scopes } from '../../../services/user-service/src/tokens.ts';
import {
  newUser,
  pageRequest,
  signInRequest,
  userDetails,
  userId,
} from '../../../services/user-service/src/validator.ts';

const id = 'ba5eba11-0000-4000-8000-0123456789ab';
const ada = { name: 'Ada', email: 'ada@example.com' };

function problem(run: () => unknown): Problem {
  try {
    run();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('a new user', () => {
  it('may have a name and a password of 200 characters, however many units each of them takes', () => {
    const [name, password] = ['🫖'.repeat(200), '🫖'.repeat(200)];
    expect(newUser({ ...ada, name, password })).toEqual({ ...ada, name, password });
    expect(() => newUser({ ...ada, password: '🫖'.repeat(4) })).toThrow('password does not have 8 to 200 characters');
  });

  it('has a name and an email, and a password or none', () => {
    expect(newUser({ ...ada, name: ' Ada ' })).toEqual({ ...ada, password: undefined });
    expect(newUser({ ...ada, password: 'correct horse' })).toEqual({ ...ada, password: 'correct horse' });
  });

  it.each([
    [{ ...ada, name: undefined }, 'name is required'],
    [{ ...ada, name: '  ' }, 'name is required'],
    [{ ...ada, name: 7 }, 'name is not a text'],
    [{ ...ada, name: 'x'.repeat(201) }, 'name is longer than 200 characters'],
    [{ ...ada, name: 'a\u0000b' }, 'name holds characters that cannot be shown'],
    [{ ...ada, name: 'a\ud800' }, 'name holds characters that cannot be shown'],
    [{ ...ada, email: null }, 'email is required'],
    [{ ...ada, email: ['a@b'] }, 'email is not a text'],
    [{ ...ada, email: `${'x'.repeat(250)}@b.de` }, 'email is longer than 254 characters'],
    [{ ...ada, password: null }, 'password is not a text'],
    [{ ...ada, password: 12345678 }, 'password is not a text'],
    [{ ...ada, password: '' }, 'password does not have 8 to 200 characters'],
    [{ ...ada, password: 'seven 7' }, 'password does not have 8 to 200 characters'],
    [{ ...ada, password: 'x'.repeat(201) }, 'password does not have 8 to 200 characters'],
    [{ ...ada, password: 'a\ud800 is no text' }, 'password holds characters that no text has'],
    [{ ...ada, id }, 'id is not a field of a new user'],
    [[], 'the body is not a JSON object'],
    [null, 'the body is not a JSON object'],
  ])('like %j is refused: %s', (body, detail) => {
    expect(problem(() => newUser(body))).toMatchObject({ status: 400, message: detail });
  });

  it.each([
    'ada',
    'ada@',
    '@example.com',
    'a b@example.com',
    'a@b@c',
    'a@-b',
    'a@b-',
    'a@b c',
    'ä@example.com',
    'a@b\n',
  ])('has no email like %j', (email) => {
    expect(problem(() => newUser({ ...ada, email })).message).toBe('email is not an address such as name@example.com');
  });

  it.each(['a@b', "o'neil+shop@mail.example.co.uk", 'A.B@EXAMPLE.COM'])(
    'may have the email %j, kept as it is',
    (email) => {
      expect(newUser({ ...ada, email }).email).toBe(email);
    },
  );

  it('is told all faults at once, and never a password', () => {
    const refused = problem(() => newUser({ name: '', email: 'x', password: 'secret', more: 1 }));
    expect(refused.errors?.map(({ field }) => field)).toEqual(['name', 'email', 'password', 'more']);
    expect(JSON.stringify(refused.body())).not.toContain('secret');
  });

  it('is judged in an instant, however long its email is', () => {
    const started = performance.now();
    problem(() => newUser({ ...ada, email: `a@${'a-'.repeat(400_000)}` }));
    problem(() => newUser({ ...ada, email: `a@${'a-'.repeat(120)}` }));
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe('the details that replace those of a user', () => {
  it('are a name and an email, nothing else', () => {
    expect(userDetails(ada)).toEqual(ada);
    expect(problem(() => userDetails({ name: 'Ada', password: 'correct horse' })).errors).toEqual([
      { field: 'email', message: 'email is required' },
      { field: 'password', message: "password is not a field of a user's details" },
    ]);
  });
});

describe('a sign-in', () => {
  const known = { email: 'ada@example.com', password: 'x' };

  it('is for everything a user may do unless it asks for less', () => {
    expect(signInRequest(known)).toEqual({ ...known, scopes });
    expect(signInRequest({ ...known, scope: 'orders:read users:read orders:read' }).scopes).toEqual([
      'orders:read',
      'users:read',
    ]);
  });

  it.each(['', ' ', 'orders:read ', 'admin', 'orders:read admin', 7, null, ['orders:read']])(
    'cannot ask for the scope %j',
    (scope) => {
      expect(problem(() => signInRequest({ ...known, scope })).message).toMatch(
        /^scope is not a list, .* of products:/,
      );
    },
  );

  it.each([
    { email: 'a@b' },
    { password: 'x' },
    { email: 'a\u0000', password: 'x' },
    { ...known, grant_type: 'x' },
    null,
  ])('like %j is refused', (body) => {
    expect(problem(() => signInRequest(body)).status).toBe(400);
  });
});

describe('the id of a user', () => {
  it.each(['', '7', 'abc', `${id}0`, ` ${id}`, id.replaceAll('-', ''), `{${id}}`])(
    'is not %j: it is no UUID',
    (text) => {
      expect(problem(() => userId(text))).toMatchObject({ status: 400, message: 'id is not a UUID' });
    },
  );

  it('is any UUID', () => {
    fc.assert(fc.property(fc.uuid(), (text) => userId(text.toUpperCase()) === text));
  });
});

describe('a page of users', () => {
  it('starts at the beginning with 20 users unless asked otherwise', () => {
    expect(pageRequest({})).toEqual({ after: undefined, limit: 20 });
    expect(pageRequest({ after: id, limit: '100' })).toEqual({ after: id, limit: 100 });
  });

  it('is told all its faults at once', () => {
    expect(problem(() => pageRequest({ after: '7', limit: '101' })).errors).toEqual([
      { field: 'after', message: 'after is not a UUID' },
      { field: 'limit', message: 'limit is not a whole number from 1 to 100' },
    ]);
    expect(problem(() => pageRequest({ limit: ['1', '2'] })).errors).toHaveLength(1);
  });
});
