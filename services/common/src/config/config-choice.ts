import { oneOf, readConfig, text, urls } from './config.ts';
import { configEnvironment } from './config-environment.ts';
import { configEtcd } from './config-etcd.ts';
import { configFiles } from './config-files.ts';
import type { ConfigSource } from './config-source.ts';

/** Where a service has its settings from besides the environment. Always read from the environment itself. */
export const configChoice = {
  configSource: oneOf('CONFIG_SOURCE', ['environment', 'files', 'etcd'], 'environment'),
} as const;

/** For `CONFIG_SOURCE=files`. */
export const configFilesChoice = { folder: text('CONFIG_DIR') } as const;

/** For `CONFIG_SOURCE=etcd`. */
export const configEtcdChoice = {
  endpoints: urls('CONFIG_ETCD_ENDPOINTS'),
  prefix: text('CONFIG_ETCD_PREFIX', '/config/'),
} as const;

/** The sources that hold for a service, the first that has a key before the others; the environment is the last. */
export async function chosenSources(env: NodeJS.ProcessEnv): Promise<readonly ConfigSource[]> {
  const base = configEnvironment(env);
  const { configSource } = readConfig(env, configChoice);
  switch (configSource) {
    case 'environment':
      return [base];
    case 'files':
      return [await configFiles(readConfig(env, configFilesChoice).folder), base];
    case 'etcd':
      return [await configEtcd(readConfig(env, configEtcdChoice)), base];
  }
}
