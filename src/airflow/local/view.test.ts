import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { commandOf, type Launch } from './launch.ts';
import { placesOf } from './places.ts';
import { seenBy, viewOf } from './seen.ts';
import type { View } from './view.ts';
import { findViewSupport } from './view-support.ts';

const isRoot = process.geteuid?.() === 0;
const nobody = isRoot ? { name: 'nobody', uid: 65534, gid: 65534 } : undefined;
let data: string;

beforeEach(() => {
  data = mkdtempSync("/tmp/windsock-view o'");
  chmodSync(data, 0o755);
  for (const folder of ['trash', 'secrets', 'cache', 'bases', 'e/home', 'e/dags', 'other'])
    mkdirSync(join(data, folder), { recursive: true });
  chmodSync(join(data, 'e/home'), 0o777);
  writeFileSync(join(data, 'e/dags/a.py'), 'a');
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

const run = (l: Partial<Launch> & Pick<Launch, 'args'>, more: { words?: string } = {}) => {
  const command = commandOf({
    program: '/bin/sh',
    env: { PATH: '/usr/bin:/bin' },
    cwd: '/',
    account: undefined,
    view: undefined,
    ...l,
  });
  const { file, args, options, words } = command;
  const input = more.words ?? words;
  const { stdout, stderr, status } = spawnSync(file, args, { ...options, input, encoding: 'utf8' });
  return { stdout, stderr, status };
};

describe('commandOf', () => {
  test('variables arrive as they are, and only they; standard input is empty', () => {
    const env = { A: `it's "$HOME" \`id\` \\ $(id)\nline two`, B: '' };
    const program = process.execPath;
    const script = 'console.log(JSON.stringify([process.env, require("fs").readFileSync(0, "utf8")]))';
    const { stdout } = run({ program, args: ['-e', script], env });
    const [seen, input] = JSON.parse(stdout) as [Record<string, string>, string];
    const { PWD: folder, SHLVL: _level, _: _program, ...rest } = seen;
    expect(rest).toEqual(env);
    expect(folder).toBe('/');
    expect(input).toBe('');
  });

  test('no variable reaches what runs before the program', () => {
    const { file, args, options } = commandOf({
      program: '/bin/true',
      args: [],
      env: { LD_PRELOAD: '/tmp/evil.so' },
      cwd: '/',
      account: undefined,
      view: undefined,
    });
    expect(JSON.stringify([file, args, options])).not.toContain('evil');
  });

  test('without its words nothing is started; with the first half of them neither', () => {
    expect(run({ args: ['-c', 'echo begun'] }, { words: '' }).stdout).toBe('');
    expect(run({ args: ['-c', 'echo begun'] }, { words: "export A='1'\nulimit -c 0" }).stdout).toBe('');
  });
});

const parts = { readOnly: ['e/dags'], writable: ['e/home'], home: 'e/home', inHome: { dags: 'e/dags' } };
/** What this machine can give; a trial in a folder of its own finds out. */
const support = (() => {
  const folder = mkdtempSync('/tmp/windsock-view-');
  chmodSync(folder, 0o755);
  for (const name of ['trash', 'cache']) mkdirSync(join(folder, name));
  const { kind } = findViewSupport({ data: folder, cache: join(folder, 'cache'), account: nobody });
  rmSync(folder, { recursive: true });
  return kind;
})();
const isSupported = support !== 'none';
const supported: View['kind'] = support === 'none' ? 'user' : support;

describe.runIf(isSupported)('a view', () => {
  const view = (): View => ({
    kind: supported,
    data,
    ...parts,
    hosts: undefined,
    sharedMemory: 4,
    temporary: undefined,
  });
  const inView = (script: string) =>
    run({ args: ['-c', script], cwd: '/usr/local/airflow', account: nobody, view: view() });

  test('shows the home of Amazon MWAA and covers the rest of the data folder', () => {
    const { stdout, stderr } = inView(
      `pwd; cat dags/a.py; echo; ls ${JSON.stringify(data)}; ls -d /usr/local/bin`,
    );
    expect(stderr).toBe('');
    expect(stdout.split('\n')).toEqual(['/usr/local/airflow', 'a', 'e', 'trash', '/usr/local/bin', '']);
  });

  test('the cover cannot be taken away, not even in a namespace of its own', () => {
    const { stdout } = inView(
      `unshare -Urm sh -c 'umount "$1"; ls "$1"' sh ${JSON.stringify(data)} 2>/dev/null`,
    );
    expect(stdout).not.toContain('secrets');
  });

  test('a link in the place of a folder is not followed', () => {
    mkdirSync(join(data, 'target'));
    symlinkSync(join(data, 'e/home'), join(data, 'e/home/dags'));
    const { stdout, stderr, status } = inView('echo begun');
    expect({ stdout, status }).toEqual({ stdout: '', status: 1 });
    expect(stderr).toContain('dags in the home is not a folder');
  });

  test('programs that start at once make the folders of the home together', { timeout: 60_000 }, async () => {
    const launch = { program: '/bin/true', args: [], env: {}, cwd: '/', account: nobody, view: view() };
    const { file, args, options, words } = commandOf(launch);
    for (let round = 0; round < 4; round += 1) {
      const starts = Array.from({ length: 8 }, async () => {
        const child = spawn(file, args, { ...options, stdio: ['pipe', 'ignore', 'pipe'] });
        let said = '';
        child.stderr.setEncoding('utf8').on('data', (text: string) => {
          said += text;
        });
        child.stdin.on('error', () => {});
        child.stdin.end(words);
        const [code] = (await once(child, 'close')) as [number];
        return `${code} ${said}`;
      });
      expect([...new Set(await Promise.all(starts))]).toEqual(['0 ']);
      rmSync(join(data, 'e/home/dags'), { recursive: true });
    }
  });

  test('what everybody may write to is its own', () => {
    mkdirSync(join(data, 'e/tmp'));
    chmodSync(join(data, 'e/tmp'), 0o777);
    writeFileSync(join(data, 'e/tmp/mine'), '');
    const own = { writable: ['e/home', 'e/tmp'], temporary: { path: 'e/tmp', at: ['/var/tmp'] } };
    const script = 'ls /var/tmp; ls /dev/shm; touch /dev/shm/windsock-view-test && echo written';
    const { stdout } = run({ args: ['-c', script], account: nobody, view: { ...view(), ...own } });
    expect(stdout).toBe('mine\nwritten\n');
    expect(existsSync('/dev/shm/windsock-view-test')).toBe(false);
  });

  test('its /dev/shm has a size', () => {
    const { stdout, stderr } = inView(
      'head -c 5000000 /dev/zero >/dev/shm/large || stat -c %s /dev/shm/large',
    );
    expect(stdout).toBe(`${4 * 1024 * 1024}\n`);
    expect(stderr).toMatch(/No space left/);
  });

  test('the machine stays as it is', () => {
    const before = spawnSync('ls', ['/usr/local'], { encoding: 'utf8' }).stdout;
    inView('echo x > mine');
    expect(spawnSync('ls', ['/usr/local'], { encoding: 'utf8' }).stdout).toBe(before);
  });
});

describe.runIf(isSupported)('a pid namespace', () => {
  const go = (script: string, more: Partial<Launch> = {}) =>
    run({ args: ['-c', script], account: nobody, pidNamespace: supported, ...more });

  test('has a /proc of its own, and the program is not its first process', () => {
    const { stdout, stderr } = go(
      'read -r pid rest </proc/self/stat; [ $pid = $$ ] && ls -d /proc/[0-9]* | wc -l',
    );
    expect(stderr).toBe('');
    // the first process, the program, ls and wc
    expect(Number(stdout)).toBeLessThanOrEqual(4);
    expect(go('[ $$ != 1 ] && echo other').stdout).toBe('other\n');
  });

  test('goes with a view', () => {
    const view: View = {
      kind: supported,
      data,
      ...parts,
      hosts: undefined,
      sharedMemory: 4,
      temporary: undefined,
    };
    const { stdout, stderr } = go('pwd; cat dags/a.py; id -u', { cwd: '/usr/local/airflow', view });
    expect(stderr).toBe('');
    expect(stdout).toBe(`/usr/local/airflow\na${nobody?.uid ?? process.geteuid?.()}\n`);
  });

  test('gives the exit code, and that of a signal', () => {
    expect(go('exit 7').status).toBe(7);
    expect(go('kill -KILL $$').status).toBe(137);
  });
});

describe('viewOf', () => {
  const places = placesOf('/data/environments', 'abcdefghijkl');

  test('without a view the paths are those of the machine', () => {
    expect(seenBy(places, 'none').dags).toBe('/data/environments/abcdefghijkl/dags');
    expect(seenBy(places, 'user').dags).toBe('/usr/local/airflow/dags');
  });

  test('only what the environment needs is shown, as paths below the data folder', () => {
    const python = join(data, 'bases', 'python');
    writeFileSync(python, '');
    const root = { data, places: placesOf(join(data, 'environments'), 'abcdefghijkl') };
    const base = { hash: 'h', folder: join(data, 'bases', 'h'), python };
    const more = {
      sharedMemory: 512,
      shim: join(data, 'programs', 'shim'),
      sockets: '/run/windsock',
      cache: join(data, 'cache'),
    };
    const view = viewOf({ kind: 'root', ...root, base, ...more });
    const own = 'environments/abcdefghijkl';
    expect(view?.readOnly).toEqual([
      ...['bases/h', 'programs/shim'],
      ...['config', 'dags', 'plugins', 'requirements', 'startup'].map((name) => `${own}/${name}`),
    ]);
    expect(view?.writable).toEqual([`${own}/home`, `${own}/tmp`]);
    // the data folder of this test is in the other one
    expect(view?.temporary).toEqual({ path: `${own}/tmp`, at: ['/var/tmp'] });
  });
});
