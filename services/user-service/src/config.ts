import { baseConfig, databaseConfig, registryConfig } from '@microservice-platform/common';
import { tokenKeys } from './token-keys.ts';

/** The environment of the user service. */
export const userConfig = {
  ...baseConfig,
  ...registryConfig,
  ...databaseConfig,
  tokenKeys: tokenKeys('TOKEN_KEYS'),
} as const;
