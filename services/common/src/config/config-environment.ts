import { type ConfigSource, found } from './config-source.ts';

/** The environment as it was when the process began: nobody can change it from outside, so there is nothing to tell. */
export function configEnvironment(env: NodeJS.ProcessEnv): ConfigSource {
  const values = new Map(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
  return {
    name: 'environment',
    has: (key) => values.has(key),
    get: (key) => found(values, key),
    watch: () => () => undefined,
    close: async () => undefined,
  };
}
