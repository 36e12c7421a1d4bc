// Puts in place what the system tests use, under .cache/: a Python with the clients, and a browser; and the build in dist/.
// Run it under a lock (tools/test.mjs does); what is there already is left alone. Prints where things are.
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageSources } from '../src/airflow/package-index.ts';
import { findPython, type Python } from '../src/airflow/python.ts';
import { findUv } from '../src/airflow/uv.ts';
import { writeFileAtomic } from '../src/lib/atomic-file.ts';
import { textOf } from '../src/lib/errors.ts';
import { run } from '../src/lib/process.ts';
import { isBuilt } from './built.ts';
import { golden } from './golden.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const cache = join(root, '.cache');
/** Node's own cache of compiled code: a server that is started does not compile all of it again. */
const compileCache = join(cache, 'compiled');
/** As it was given: the browser unpacks itself into a TMPDIR of its own meanwhile. */
const env = { ...process.env };
const path = env['PATH'] ?? '/usr/bin:/bin';
const sources = packageSources(env);
const deadline = 5 * 60_000;

const must = async (program: string, args: readonly string[]): Promise<string> => {
  const own = {
    ...sources,
    PATH: path,
    HOME: process.env['HOME'] ?? '/tmp',
    LC_ALL: 'C.UTF-8',
    UV_CACHE_DIR: join(cache, 'uv'),
    UV_LINK_MODE: 'copy',
    UV_NO_CONFIG: '1',
    UV_NO_PROGRESS: '1',
    UV_PYTHON_INSTALL_DIR: join(cache, 'python'),
  };
  const result = await run(program, args, { env: own, cwd: root, timeout: deadline });
  if (result.exitCode === 0) return result.stdout.trim();
  throw new Error(`${program} ${args.slice(0, 3).join(' ')} failed:\n${result.stderr || result.stdout}`);
};

const pythonOf = (uv: string): Promise<Python> =>
  findPython({
    wanted: ['3.11', '3.12'],
    named: undefined,
    path,
    account: undefined,
    install: async (wanted) => {
      await must(uv, ['python', 'install', wanted]);
      return must(uv, ['python', 'find', '--managed-python', wanted]);
    },
  });

/** boto3, the aws cli and requests, by the hash of their pinned versions. */
const clients = async (uv: string, python: Python): Promise<string> => {
  const requirements = join(root, 'test', 'clients', 'requirements.txt');
  const hash = createHash('sha256').update(readFileSync(requirements)).update(JSON.stringify(python));
  const folder = join(cache, `clients-${hash.digest('hex').slice(0, 12)}`);
  if (existsSync(folder)) return folder;
  const building = `${folder}.tmp`;
  rmSync(building, { recursive: true, force: true });
  await must(uv, ['venv', '--quiet', '--relocatable', '--python', python.file, building]);
  const interpreter = join(building, 'bin', 'python');
  await must(uv, ['pip', 'install', '--quiet', '--python', interpreter, '--no-deps', '-r', requirements]);
  await must(interpreter, ['-m', 'compileall', '-q', '-j', '2', join(building, 'lib')]);
  renameSync(building, folder);
  return folder;
};

const systemBrowsers = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The browser of the system, else the one from npm, which unpacks itself into TMPDIR. */
const browser = async (): Promise<string> => {
  const found = path
    .split(delimiter)
    .flatMap((folder) => systemBrowsers.map((name) => join(folder, name)))
    .find((file) => existsSync(file));
  if (found !== undefined) return found;
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const version = /"node_modules\/@sparticuz\/chromium": \{\s*"version": "([^"]+)"/.exec(lock)?.[1];
  const folder = join(cache, `chromium-${version}`);
  if (existsSync(join(folder, 'chromium'))) return join(folder, 'chromium');
  const building = `${folder}.tmp`;
  rmSync(building, { recursive: true, force: true });
  mkdirSync(building, { recursive: true });
  process.env['TMPDIR'] = building;
  const { default: packed } = await import('@sparticuz/chromium');
  const unpacked = await packed.executablePath();
  if (!unpacked.startsWith(building)) cpSync(unpacked, join(building, 'chromium'));
  chmodSync(join(building, 'chromium'), 0o755);
  rmSync(folder, { recursive: true, force: true });
  renameSync(building, folder);
  return join(folder, 'chromium');
};

/** Where nothing can be installed now, the suites that need it say so themselves. */
const goldenOrNone = async (python: Python): Promise<string | undefined> => {
  try {
    return await golden({ cache, python, env });
  } catch (error) {
    process.stderr.write(`No data folders were prepared; every suite makes its own. ${textOf(error)}\n`);
    return undefined;
  }
};

mkdirSync(cache, { recursive: true });
if (!isBuilt()) await must(process.execPath, [join(root, 'tools', 'build.mjs')]);
const uv = await findUv({
  programs: cache,
  path,
  account: undefined,
  sources,
  signal: AbortSignal.timeout(deadline),
});
const python = await pythonOf(uv);
const [clientsFolder, browserFile, goldenFolder] = await Promise.all([
  clients(uv, python),
  browser(),
  goldenOrNone(python),
]);
const tools = { clients: clientsFolder, browser: browserFile, golden: goldenFolder, compileCache };
writeFileAtomic(join(cache, 'test-tools.json'), `${JSON.stringify(tools)}\n`, { mode: 0o644 });
process.stdout.write(`Clients in ${tools.clients}, browser ${tools.browser}\n`);
