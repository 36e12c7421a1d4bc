import { defineConfig } from 'vitest/config';

/**
 * Unit tests stand beside the code; everything that drives the product from outside is in test/. A test beside the
 * code that needs a real PostgreSQL is `*.system.test.ts` and runs with the latter.
 */
export const config = defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'tools/**/*.test.ts'],
          exclude: ['**/*.system.test.ts'],
          testTimeout: 10_000,
          // most of the time of the slow ones they wait
          maxWorkers: 4,
        },
      },
      {
        test: {
          name: 'system',
          include: ['test/**/*.test.ts', 'src/**/*.system.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 900_000,
          fileParallelism: true,
          // more than the cores of a small machine: most of the time a suite waits
          maxWorkers: 3,
        },
      },
    ],
  },
});
