// `npm run build`: the package's JavaScript in dist/, with the files beside the code that it reads when it runs. Only
// what the package's programs import is compiled (tsconfig.build.json).
import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [source, target] = [join(root, 'src'), join(root, 'dist')];
const leftOut = /\.ts$|__pycache__|__snapshots__|\.snap$/;
const forTests = /(?:^|\/)(?:test-|fake-|testing\.)[^/]*$|\.test\./;

const compile = () => {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json')], {
    stdio: 'inherit',
    timeout: 300_000,
  });
  return status ?? 1;
};

/** Fails when a program imports, through whatever, a file that is there for tests. */
const lookForTests = () => {
  const found = readdirSync(target, { recursive: true }).filter((file) => forTests.test(file));
  for (const file of found)
    console.error(`${file} is there for tests, and a program of the package imports it.`);
  return found.length === 0 ? 0 : 1;
};

rmSync(target, { recursive: true, force: true });
const status = compile();
if (status === 0) cpSync(source, target, { recursive: true, filter: (path) => !leftOut.test(path) });
process.exitCode = status === 0 ? lookForTests() : status;
