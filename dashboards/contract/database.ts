import { gauge, info, type Signals, warn } from './signal.ts';

/** What a service tells of its PostgreSQL. */
export const database: Signals = {
  metrics: [
    gauge('db_pool_connections', ['state'], 'Connections to the database: idle or used.'),
    gauge('db_pool_limit', [], 'How many connections there may be.'),
    gauge('db_pool_waiting', [], 'Requests that wait for a connection.'),
  ],
  spans: [
    {
      name: '{db.operation.name} {db.namespace}',
      kind: 'client',
      always: ['db.system.name', 'db.namespace', 'db.operation.name', 'db.query.text', 'server.address', 'server.port'],
      sometimes: ['db.response.status_code', 'error.type'],
      meaning: 'One statement. Its text has placeholders, and its values are nowhere.',
    },
  ],
  lines: [
    info('database schema is up to date', ['applied', 'schema_version']),
    info('migration applied', ['schema_version', 'migration']),
    warn('database connection lost during the migration', ['reason']),
    warn('waiting for the {what}', ['reason']),
    warn('idle database connection lost', ['reason']),
  ],
};
