import { defineConfig } from 'vitest/config';

/** One project for each kind of test, by what it needs: nothing, an API server, PostgreSQL and RabbitMQ, helm, a node. */
function project(name: string, limits: { testTimeout: number; hookTimeout: number; fileParallelism?: boolean }) {
  return {
    test: { name, root: `${import.meta.dirname}/..`, include: [`test/${name}/**/*.test.ts`], ...limits },
  };
}

export default defineConfig({
  test: {
    projects: [
      project('unit', { testTimeout: 10_000, hookTimeout: 10_000 }),
      project('api', { testTimeout: 60_000, hookTimeout: 120_000 }),
      project('services', { testTimeout: 60_000, hookTimeout: 120_000 }),
      project('chart', { testTimeout: 60_000, hookTimeout: 60_000 }),
      project('e2e', { testTimeout: 300_000, hookTimeout: 600_000, fileParallelism: false }),
    ],
  },
});
