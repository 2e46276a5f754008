import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  baseConfig,
  ConfigError,
  databaseConfig,
  integer,
  oneOf,
  readConfig,
  secret,
  text,
  url,
  urls,
} from '../../../services/common/src/config/config.ts';

function faultsOf(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

describe('the configuration of a service', () => {
  it('has the documented defaults when the environment is empty', () => {
    expect(readConfig({}, baseConfig)).toEqual({
      serverHost: '0.0.0.0',
      serverPort: 8080,
      logLevel: 'info',
      version: '0.1.0',
      drainMs: 5000,
    });
  });

  it('names every fault at once, and what is expected instead', () => {
    const env = { SERVER_PORT: 'http', LOG_LEVEL: 'loud', DB_PORT: '70000', DB_USER: '' };
    const faults = faultsOf(() => readConfig(env, { ...baseConfig, ...databaseConfig }));
    expect(faults).toEqual([
      'SERVER_PORT is "http", not a whole number from 0 to 65535',
      'LOG_LEVEL is "loud", not one of debug, info, warn, error',
      'DB_HOST is not set',
      'DB_PORT is "70000", not a whole number from 0 to 65535',
      'DB_USER is empty',
      'DB_PASSWORD is not set',
      'DB_NAME is not set',
    ]);
  });

  it('lists the faults in its message, one a line', () => {
    const error = new ConfigError(['A is not set', 'B is empty']);
    expect(error.message).toBe(
      'the environment has 2 faults; set these variables and start again:\n  A is not set\n  B is empty',
    );
  });

  it('never replaces a bad number by the default', () => {
    const bad = fc.string().filter((it) => !/^-?\d{1,15}$/.test(it));
    fc.assert(
      fc.property(bad, (given) => {
        const schema = { port: integer('PORT', { min: 1, max: 10 }, 5) };
        return faultsOf(() => readConfig({ PORT: given }, schema)).length === 1;
      }),
    );
  });

  it.each(['', ' 5', '5 ', '5.0', '1e1', '0x5', '+5', '5n', 'Infinity'])('refuses the number %j', (given) => {
    const schema = { number: integer('NUMBER', { min: 0, max: 100 }, 7) };
    expect(faultsOf(() => readConfig({ NUMBER: given }, schema))).toHaveLength(1);
  });

  it('takes exactly the whole numbers within the bounds', () => {
    fc.assert(
      fc.property(fc.integer(), (number) => {
        const schema = { number: integer('NUMBER', { min: -50, max: 50 }) };
        const faults = faultsOf(() => readConfig({ NUMBER: String(number) }, schema));
        return (faults.length === 0) === (number >= -50 && number <= 50);
      }),
    );
  });

  it('shows the value of a secret in no message', () => {
    const faults = faultsOf(() => readConfig({ TOKEN: '   ' }, { token: secret('TOKEN') }));
    expect(faults).toEqual(['TOKEN is empty']);
  });

  it('takes http and https addresses without credentials, and cuts the slash at their end', () => {
    const read = (given: string) => readConfig({ URL: given }, { url: url('URL') }).url;
    expect(read('http://jaeger:4318/')).toBe('http://jaeger:4318');
    expect(read('https://host/base')).toBe('https://host/base');
    for (const bad of ['jaeger:4318', 'ftp://x', '', 'http://user:secret@host', 'http://host?x=1']) {
      const faults = faultsOf(() => read(bad));
      expect(faults).toHaveLength(1);
      expect(faults[0]).not.toContain('secret');
    }
  });

  it('takes several addresses with commas between them, each as one alone', () => {
    const read = (given: string) => readConfig({ URLS: given }, { urls: urls('URLS') }).urls;
    expect(read('http://a:2379, https://b/')).toEqual(['http://a:2379', 'https://b']);
    for (const bad of ['', 'http://a,', 'http://a http://b', 'http://user:secret@a']) {
      const faults = faultsOf(() => read(bad));
      expect(faults).toHaveLength(1);
      expect(faults[0]).not.toContain('secret');
    }
  });

  it('cannot be changed after it was read', () => {
    const config = readConfig({ NAME: 'a' }, { name: text('NAME'), mode: oneOf('MODE', ['x', 'y'], 'x') });
    expect(config).toEqual({ name: 'a', mode: 'x' });
    expect(Object.isFrozen(config)).toBe(true);
  });
});
