import type { DatabaseSettings, Log } from '../../services/common/src/database/postgres.ts';
import type { PostgresDatabase } from './postgres.ts';

/** The settings a service reads from its environment, for a database of the fixture. */
export function settingsOf(own: PostgresDatabase): DatabaseSettings {
  return {
    dbHost: own.host,
    dbPort: own.port,
    dbUser: own.user,
    dbPassword: own.password,
    dbName: own.database,
  };
}

/** A log that keeps its lines, each with its fields as JSON. */
export function recordingLog(): Log & { readonly lines: string[] } {
  const lines: string[] = [];
  const write = (...parts: unknown[]) => {
    lines.push(parts.map((part) => (typeof part === 'string' ? part : JSON.stringify(part))).join(' '));
  };
  return { lines, debug: write, info: write, warn: write, error: write };
}
