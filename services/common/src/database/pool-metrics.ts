import type { Pool } from 'pg';
import { Gauge, type Registry } from 'prom-client';

/** Shows how far a pool is used up: its connections, how many there may be, and who waits for one. */
export function showPool(registry: Registry, pool: Pool): void {
  const registers = [registry];
  new Gauge({
    name: 'db_pool_connections',
    help: 'Open connections to the database: used by a statement or a transaction, or idle.',
    labelNames: ['state'],
    registers,
    collect() {
      this.set({ state: 'idle' }, pool.idleCount);
      this.set({ state: 'used' }, pool.totalCount - pool.idleCount);
    },
  });
  new Gauge({ name: 'db_pool_limit', help: 'Connections that the pool may open.', registers }).set(pool.options.max);
  new Gauge({
    name: 'db_pool_waiting',
    help: 'Statements and transactions that wait for a connection.',
    registers,
    collect() {
      this.set(pool.waitingCount);
    },
  });
}
