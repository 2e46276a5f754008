import { database, databaseConfig, readConfig } from '@microservice-platform/common';
import { rebuildView } from './view.ts';

/**
 * Makes the table that is read anew from the events, beside a running service:
 * `kubectl exec deployment/order-service -- node src/rebuild.ts`
 */
const pool = database(readConfig(process.env, databaseConfig));
try {
  console.log(`the view of ${await rebuildView(pool)} orders was made anew`);
} finally {
  await pool.end();
}
