// `npm run build`: the package's JavaScript in dist/, with the files beside the code that it reads when it runs.
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [source, target] = [join(root, 'src'), join(root, 'dist')];
const leftOut = /\.ts$|__pycache__|__snapshots__|\.snap$/;

rmSync(target, { recursive: true, force: true });
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const { status } = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json')], {
  stdio: 'inherit',
  timeout: 300_000,
});
if (status === 0)
  cpSync(source, target, {
    recursive: true,
    filter: (path) => !leftOut.test(path),
  });
process.exitCode = status ?? 1;
