import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { baseConfig, ConfigError, readConfig } from '../../../services/common/src/config/config.ts';
import { newFault } from '../../../services/common/src/serving/fault-validator.ts';
import { Problem } from '../../../services/common/src/serving/problem.ts';

function problem(body: unknown): Problem {
  try {
    newFault(body);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('a fault', () => {
  it('is about every path and does nothing but what is asked for', () => {
    expect(newFault({ delay_ms: 200, seconds: 60 })).toEqual({
      path: '/',
      delay_ms: 200,
      error_rate: 0,
      hang_rate: 0,
      seconds: 60,
    });
    const whole = { path: '/v1/orders', delay_ms: 1, error_rate: 0.5, hang_rate: 0.5, seconds: 3600 };
    expect(newFault(whole)).toEqual(whole);
  });

  it.each([
    [{ error_rate: 1 }, 'seconds is required'],
    [{ error_rate: 1, seconds: 0 }, 'seconds is not a whole number from 1 to 3600'],
    [{ error_rate: 1, seconds: 3601 }, 'seconds is not a whole number from 1 to 3600'],
    [{ error_rate: 1, seconds: null }, 'seconds is not a whole number from 1 to 3600'],
    [{ delay_ms: 60_001, seconds: 1 }, 'delay_ms is not a whole number from 0 to 60000'],
    [{ delay_ms: 0.5, seconds: 1 }, 'delay_ms is not a whole number from 0 to 60000'],
    [{ error_rate: 1.01, seconds: 1 }, 'error_rate is not a number from 0 to 1'],
    [{ hang_rate: '1', seconds: 1 }, 'hang_rate is not a number from 0 to 1'],
    [{ hang_rate: 0.6, error_rate: 0.6, seconds: 1 }, 'hang_rate and error_rate are together more than 1'],
    [{ path: 'orders', error_rate: 1, seconds: 1 }, 'path is not the beginning of a path'],
    [{ path: '/a\nb', error_rate: 1, seconds: 1 }, 'path is not the beginning of a path'],
    [{ seconds: 1 }, 'delay_ms or error_rate or hang_rate is required: a fault does something'],
    [{ error_rate: 1, seconds: 1, until: 7 }, 'until is not a field of a fault'],
    [[], 'the body is not a JSON object'],
    [null, 'the body is not a JSON object'],
  ])('like %j is refused: %s', (body, detail) => {
    expect(problem(body)).toMatchObject({ status: 400, message: detail });
  });

  it('is told all that is wrong with it at once', () => {
    const fields = problem({ path: 7, delay_ms: -1, error_rate: 2, hang_rate: Number.NaN, more: 1 }).errors;
    expect(fields?.map(({ field }) => field)).toEqual([
      'path',
      'delay_ms',
      'error_rate',
      'hang_rate',
      'seconds',
      'more',
    ]);
  });

  it('is one, or a Problem, whatever is sent', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        expect(problem(body).code).toBe('invalid_request');
      }),
    );
  });
});

describe('the token for faults', () => {
  const read = (given: string | undefined) => readConfig({ FAULTS_TOKEN: given }, baseConfig).faultsToken;

  it('is none unless it is set', () => {
    expect(read(undefined)).toBeUndefined();
    expect(read('0123456789abcdef')).toBe('0123456789abcdef');
    expect(read('MDEyMzQ1Njc4OWFi+/c=')).toBe('MDEyMzQ1Njc4OWFi+/c=');
  });

  it.each(['', 'fifteen-letters', 'sixteen letters!', 'long-enough-but\nnot', '================'])(
    'is refused like %j, and not repeated',
    (given) => {
      const refused = () => read(given);
      expect(refused).toThrow(ConfigError);
      expect(refused).toThrow(/FAULTS_TOKEN is not at least 16 of the characters A-Z a-z 0-9 - \. _ ~ \+ \/$/);
    },
  );
});
