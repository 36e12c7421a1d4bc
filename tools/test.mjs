// Runs the tests and ends with one line: `N passed, N failed`. `--full` adds the slow ones; other arguments go to
// Vitest (a file name, for instance).
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { damagedFiles } from './golden.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const given = process.argv.slice(2);
const full = given.includes('--full');
const forVitest = given.filter((argument) => argument !== '--full');
const setupSeconds = 600;

/** Runs a program in this terminal, with signals passed on; gives its exit code. */
const run = (program, args, env = {}) =>
  new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
    const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'];
    const pass = (signal) => child.kill(signal);
    for (const signal of signals) process.on(signal, pass);
    child.once('error', (error) => {
      process.stderr.write(`${program} cannot be run: ${error.message}\n`);
      resolve(1);
    });
    child.once('exit', (code) => {
      for (const signal of signals) process.removeListener(signal, pass);
      resolve(code ?? 1);
    });
  });

/** flock(1) gives the lock back when its holder dies, however it dies. */
const setUp = () => {
  mkdirSync(join(root, '.cache'), { recursive: true });
  const lock = join(root, '.cache', 'setup.lock');
  return run('flock', [
    '-w',
    String(setupSeconds),
    lock,
    process.execPath,
    join(root, 'tools', 'test-setup.ts'),
  ]);
};

const testsOf = (report) =>
  report.testResults.flatMap((file) =>
    file.assertionResults.map((test) => ({ ...test, file: relative(root, file.name) })),
  );

/** A file that could not be run at all has no test that failed. */
const brokenFiles = (report) =>
  report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );

const print = (text = '') => process.stdout.write(`${text}\n`);

const printFailures = (tests, broken) => {
  for (const test of tests) {
    print(`\n✗ ${test.file}: ${test.fullName}`);
    for (const message of test.failureMessages ?? []) print(message);
  }
  for (const file of broken) print(`\n✗ ${relative(root, file.name)}: could not be run\n${file.message}`);
};

const printSlowest = (what, parts) => {
  print(`\nThe ten slowest ${what}:`);
  const slowest = [...parts].sort((a, b) => b.seconds - a.seconds).slice(0, 10);
  for (const { seconds, file, name } of slowest)
    print(`${seconds.toFixed(1).padStart(7)} s  ${file}: ${name}`);
};

const read = (file, otherwise) => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return otherwise;
  }
};

const runTests = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'windsock-report-'));
  try {
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const code = await run(process.execPath, [vitest, 'run', ...forVitest], {
      WINDSOCK_TEST_FULL: full ? '1' : '',
      WINDSOCK_TEST_REPORT: folder,
    });
    const report = read(join(folder, 'report.json'), { testResults: [] });
    return { code, report, hooks: read(join(folder, 'hooks.json'), []) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** What suites share must be at the end as it was; one that is not is made anew by the next set-up. */
const damagedGolden = () => {
  const { golden } = read(join(root, '.cache', 'test-tools.json'), {});
  const damaged = golden === undefined ? [] : damagedFiles(golden);
  if (damaged.length > 0) {
    print(`\n✗ ${damaged.length} files in ${golden} were written to through a link, for instance:`);
    print(damaged.slice(0, 10).join('\n'));
  }
  return damaged.length;
};

const finish = ({ code, report, hooks }) => {
  const tests = testsOf(report);
  const failed = tests.filter((test) => test.status === 'failed');
  const broken = brokenFiles(report);
  const passed = tests.filter((test) => test.status === 'passed');
  printFailures(failed, broken);
  const skipped = tests.filter((test) => test.status !== 'failed' && test.status !== 'passed');
  if (skipped.length > 0)
    print(`\nNot run here:\n${skipped.map((t) => `  ${t.file}: ${t.fullName}`).join('\n')}`);
  const timed = tests.map((t) => ({ seconds: (t.duration ?? 0) / 1000, file: t.file, name: t.fullName }));
  printSlowest('tests', timed);
  printSlowest('hooks', hooks);
  if (code !== 0 && failed.length + broken.length === 0) print(`\nVitest ended with ${code}; see above.`);
  const failures = failed.length + broken.length + (damagedGolden() > 0 ? 1 : 0);
  print(`\n${passed.length} passed, ${failures} failed`);
  process.exitCode = code !== 0 || failures > 0 || passed.length === 0 ? 1 : 0;
};

const setUpCode = await setUp();
if (setUpCode === 0) finish(await runTests());
else {
  print('The tests could not be set up; see above.\n\n0 passed, 1 failed');
  process.exitCode = 1;
}
