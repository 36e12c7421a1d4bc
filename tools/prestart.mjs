// Installs the packages when the lock file changed. Plain JavaScript: it also runs on an old Node, before
// anything is installed. `--dev` installs what the tests need as well.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const marker = join(root, 'node_modules', '.windsock-lock');
const dev = process.argv.includes('--dev');

const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');
const installed = existsSync(marker) ? readFileSync(marker, 'utf8').trim() : '';
const upToDate = installed === `${lock} dev` || (!dev && installed === `${lock} user`);

const install = () => {
  const npm = process.env.npm_execpath;
  const [program, first] = npm ? [process.execPath, [npm]] : ['npm', []];
  const args = [
    'ci',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    // npm hands on its own options as variables, and `npm pack --dry-run` would install nothing here.
    '--no-dry-run',
    dev ? '--include=dev' : '--omit=dev',
  ];
  process.stderr.write('Installing the packages of Windsock …\n');
  const child = spawn(program, [...first, ...args], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => child.kill('SIGTERM'));
  child.on('error', (error) => {
    process.stderr.write(`npm cannot be run: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code) => {
    if (code === 0) writeFileSync(marker, `${lock} ${dev ? 'dev' : 'user'}\n`);
    else process.stderr.write('The packages could not be installed; see above. Nothing was started.\n');
    process.exitCode = code ?? 1;
  });
};

if (!upToDate) install();
