import { baseConfig, databaseConfig } from '@microservice-platform/common';
import { tokenKeys } from './token-keys.ts';

/** The environment of the user service. */
export const userConfig = {
  ...baseConfig,
  ...databaseConfig,
  tokenKeys: tokenKeys('TOKEN_KEYS'),
} as const;
