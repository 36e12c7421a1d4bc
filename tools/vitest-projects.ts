import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { DurationsReporter } from './durations-reporter.ts';
import { LongestFirst } from './longest-first.ts';

/** Suites that take minutes and watch what changes seldom: for `npm run test:full`, or `WINDSOCK_TEST_FULL=1`. */
const fullOnly = [
  'test/access/roles.test.ts',
  'test/access/stories.test.ts',
  'test/airflow/inside.test.ts',
  'test/airflow/versions.test.ts',
  'test/bucket/versitygw.test.ts',
  'test/clients/access-cli.test.ts',
  'test/clients/operators.test.ts',
  'test/clients/task-role.test.ts',
  'test/deploy/plugins.test.ts',
  'test/deploy/sources.test.ts',
  'test/environments/in-place.test.ts',
  'test/environments/upgrade.test.ts',
  'test/faults/backup.test.ts',
  'test/faults/clock.test.ts',
  'test/faults/install.test.ts',
  'test/faults/neighbours.test.ts',
  'test/faults/no-descriptors.test.ts',
  'test/faults/soak.test.ts',
  'test/gateway/browser.test.ts',
  'test/isolation/real-airflow.test.ts',
];
/**
 * Suites that run real Airflow for minutes. Three of them at once are more than two cores can do: then Airflow's own
 * time limits (5 s for a task to reach its API server) fail tasks and pages.
 */
const realAirflow = [
  'test/access/roles.test.ts',
  'test/access/stories.test.ts',
  'test/airflow/*.test.ts',
  'test/clients/operators.test.ts',
  'test/clients/task-role.test.ts',
  'test/deploy/*.test.ts',
  'test/environments/in-place.test.ts',
  'test/environments/upgrade.test.ts',
  'test/faults/adoption.test.ts',
  'test/faults/soak.test.ts',
  'test/gateway/browser.test.ts',
  'test/gateway/gateway.test.ts',
  'test/isolation/real-airflow.test.ts',
  'test/journey/*.test.ts',
];
const isFull = process.env['WINDSOCK_TEST_FULL'] === '1';
const compileCache = fileURLToPath(new URL('../.cache/compiled', import.meta.url));
/** Where tools/test.mjs wants a report; nothing for who calls Vitest. */
const report = process.env['WINDSOCK_TEST_REPORT'];

/** Milliseconds. */
const patience = { testTimeout: 300_000, hookTimeout: 900_000 };

/**
 * Unit tests stand beside the code; everything that drives the product from outside is in test/. A test beside the
 * code that needs a real PostgreSQL is `*.system.test.ts` and runs with the latter.
 */
export const config = defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    fsModuleCache: true,
    // Node keeps what the workers compile of packages
    env: { NODE_COMPILE_CACHE: compileCache },
    reporters: [
      'default',
      new DurationsReporter({ isFull, hooksFile: report && join(report, 'hooks.json') }),
      ...(report
        ? [['json', { outputFile: join(report, 'report.json') }] as [string, Record<string, unknown>]]
        : []),
    ],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'tools/**/*.test.ts'],
          exclude: ['**/*.system.test.ts'],
          testTimeout: 10_000,
          provide: { fuzzSeconds: Number(process.env['WINDSOCK_FUZZ_SECONDS'] ?? 0.5) },
          // the modules of most files are the same: a worker reads them once
          isolate: false,
          // most of the time of the slow ones they wait
          maxWorkers: 4,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...patience,
          name: 'airflow',
          include: realAirflow,
          exclude: isFull ? [] : fullOnly,
          maxWorkers: 2,
          // after the unit tests, which have their own number
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...patience,
          name: 'system',
          include: ['test/**/*.test.ts', 'src/**/*.system.test.ts'],
          exclude: [...realAirflow, ...(isFull ? [] : fullOnly)],
          // more than the cores of a small machine: most of the time a suite waits
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
