import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isOver, processes, processFacts } from '../../lib/processes.ts';
import { findViewSupport } from '../local/view-support.ts';
import { runAirflow } from './run.ts';
import { createCliRunner } from './runner.ts';

let folder: string;
let python: string;

/** Stands where an interpreter would: takes the words out of its variables, and does what the first one says. */
const script = `#!/bin/sh
set --
i=0
for count in $WINDSOCK_WORDS; do
  word=
  end=$((i + count))
  while [ $i -lt $end ]; do
    eval "word=\\$word\\$WINDSOCK_WORD_$i; unset WINDSOCK_WORD_$i"
    i=$((i + 1))
  done
  set -- "$@" "$word"
done
unset WINDSOCK_WORDS i word end count
case "$1" in
  echo) printf '%s|' "$@"; env; echo warn >&2; exit 3 ;;
  length) printf %s "$2" | wc -c ;;
  flood) head -c 3000000 /dev/zero ;;
  fail) printf '  File "%s/bases/b/lib/python3.11/site-packages/airflow/x.py" \\377\n' "$PWD" >&2 ;;
  stdin) cat; echo end ;;
  sleep) trap '' TERM; setsid sleep 300 & echo $! > "$PWD/inner"; echo $$ > "$PWD/outer"; sleep 300; sleep 300 ;;
  hide) env -i setsid sleep 300 & echo $! > "$PWD/hidden"; echo seen ;;
  escape) (setsid env -i sleep "$2" &); touch "$PWD/escaped"; sleep "$3" ;;
  leave) setsid sleep 300 & echo $! > "$PWD/inner" ;;
  version) sleep 0.3; echo 3.3.1 ;;
esac
`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'windsock-cli-'));
  python = join(folder, 'python');
  writeFileSync(python, script, { mode: 0o755 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const env = { PATH: '/usr/bin:/bin' };
/** How a command gets one here; a trial in a folder of its own finds out. */
const pidNamespace = (() => {
  const data = mkdtempSync(join(tmpdir(), 'windsock-trial-'));
  for (const name of ['trash', 'cache']) mkdirSync(join(data, name));
  const found = findViewSupport({ data, cache: join(data, 'cache'), account: undefined }).pidNamespace;
  rmSync(data, { recursive: true });
  return found;
})();
const until = async (holds: () => boolean) => {
  for (let i = 0; i < 250 && !holds(); i += 1) await delay(20);
};
const go = (
  words: string[],
  o: {
    timeout?: number;
    bytes?: number;
    signal?: AbortSignal;
    pidNamespace?: 'root' | 'user' | undefined;
  } = {},
) =>
  runAirflow({
    python,
    data: folder,
    words,
    env,
    cwd: folder,
    signal: o.signal ?? new AbortController().signal,
    pidNamespace: o.pidNamespace,
    limits: { timeout: o.timeout ?? 5000, bytes: o.bytes ?? 1000 },
  });
const alive = (name: string) => {
  const facts = processFacts(Number(readFileSync(join(folder, name), 'utf8')));
  return facts !== undefined && !isOver(facts);
};
const appears = async (name: string) => {
  for (let i = 0; i < 400; i += 1) {
    try {
      if (readFileSync(join(folder, name), 'utf8').endsWith('\n')) return;
    } catch {
      // not yet
    }
    await delay(20);
  }
};

it('gives the words untouched, the streams apart, the exit code and only the given environment', async () => {
  const answer = await go(['echo', '$(id)', 'a b', ';']);
  expect(answer.kind).toBe('ran');
  if (answer.kind !== 'ran') return;
  expect(answer.stdout.toString()).toContain('echo|$(id)|a b|;|');
  expect(answer.stdout.toString()).not.toMatch(/^HOME=/m);
  expect(answer.stderr.toString()).toBe('warn\n');
  expect(answer.exitCode).toBe(3);
});

it('cuts a flood and says so', async () => {
  const answer = await go(['flood']);
  if (answer.kind !== 'ran') throw new Error(answer.kind);
  expect(answer.stdout.length).toBeLessThan(1100);
  expect(answer.stdout.toString()).toMatch(/\[output cut: more than 1000 bytes\]\n$/);
});

it('shows no path of the data folder', async () => {
  const answer = await go(['fail']);
  if (answer.kind !== 'ran') throw new Error(answer.kind);
  expect(answer.stderr.toString('latin1')).toBe('  File "airflow/x.py" \xff\n');
});

it('has an empty stdin', async () => {
  const answer = await go(['stdin']);
  expect(answer.kind === 'ran' && answer.stdout.toString()).toBe('end\n');
});

it('at the time limit ends also what ignores TERM and what left the session', async () => {
  expect(await go(['sleep'], { timeout: 700 })).toEqual({ kind: 'timed-out' });
  expect([alive('inner'), alive('outer')]).toEqual([false, false]);
});

it('leaves nothing behind when the command ends by itself', async () => {
  rmSync(join(folder, 'inner'), { force: true });
  expect((await go(['leave'])).kind).toBe('ran');
  expect(alive('inner')).toBe(false);
});

it('does not wait for a process that slipped away with the streams', async () => {
  const began = performance.now();
  const answer = await go(['hide'], { timeout: 20_000 });
  process.kill(Number(readFileSync(join(folder, 'hidden'), 'utf8')), 'SIGKILL');
  expect(answer.kind === 'ran' && answer.stdout.toString()).toBe('seen\n');
  expect(performance.now() - began).toBeLessThan(5000);
});

describe.runIf(pidNamespace !== undefined)('in a pid namespace', () => {
  const commandLine = (pid: number) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    } catch {
      return '';
    }
  };
  const sleeping = (time: string) =>
    processes().filter(({ pid }) => commandLine(pid) === `sleep\0${time}\0`).length;
  const seconds = (n: number) => `8${process.pid}.${n}`;

  it('nothing survives the end of the command', async () => {
    expect((await go(['escape', seconds(1), '0'], { pidNamespace })).kind).toBe('ran');
    expect(sleeping(seconds(1))).toBe(0);
  });

  it('nothing survives the time limit', async () => {
    expect(await go(['escape', seconds(2), '300'], { timeout: 700, pidNamespace })).toEqual({
      kind: 'timed-out',
    });
    expect(sleeping(seconds(2))).toBe(0);
  });

  it('nothing survives an abort', async () => {
    const controller = new AbortController();
    const running = go(['escape', seconds(3), '300'], { signal: controller.signal, pidNamespace });
    await until(() => sleeping(seconds(3)) === 1);
    controller.abort(new Error('client left'));
    await expect(running).rejects.toThrow('client left');
    expect(sleeping(seconds(3))).toBe(0);
  });

  it('the streams, the words and the exit code arrive', async () => {
    const answer = await go(['echo', 'a b'], { pidNamespace });
    expect(
      answer.kind === 'ran' && [
        answer.stdout.toString().slice(0, 9),
        answer.stderr.toString(),
        answer.exitCode,
      ],
    ).toEqual(['echo|a b|', 'warn\n', 3]);
  });
});

it('ends everything on abort and throws its reason', async () => {
  rmSync(join(folder, 'outer'), { force: true });
  const controller = new AbortController();
  const running = go(['sleep'], { signal: controller.signal });
  await appears('outer');
  controller.abort(new Error('client left'));
  await expect(running).rejects.toThrow('client left');
  expect([alive('inner'), alive('outer')]).toEqual([false, false]);
});

it('answers when the interpreter is missing', async () => {
  const answer = await runAirflow({
    python: '/nowhere/python',
    data: folder,
    words: [],
    env,
    cwd: folder,
    signal: new AbortController().signal,
  });
  expect(answer.kind === 'ran' && [answer.exitCode, answer.stderr.toString()]).toEqual([
    127,
    expect.stringContaining('not found'),
  ]);
});

it('bounds the commands of one environment and keeps environments apart', async () => {
  const runner = createCliRunner({ slots: { parallel: 1, waiting: 1, patience: 5000 } });
  const ask = (environmentId: string) =>
    runner.run({
      environmentId,
      airflowVersion: '3.3.1',
      python,
      data: folder,
      words: ['version'],
      env,
      cwd: folder,
      signal: new AbortController().signal,
    });
  const kinds = (await Promise.all([ask('a'), ask('a'), ask('a'), ask('b')])).map((a) => a.kind);
  expect(kinds).toEqual(['ran', 'ran', 'busy', 'ran']);
  expect((await ask('a')).kind).toBe('ran');
});

it('ends the wait when patience ends', async () => {
  const runner = createCliRunner({ slots: { parallel: 1, waiting: 5, patience: 50 } });
  const ask = () =>
    runner.run({
      environmentId: 'a',
      airflowVersion: '3.3.1',
      python,
      data: folder,
      words: ['version'],
      env,
      cwd: folder,
      signal: new AbortController().signal,
    });
  expect((await Promise.all([ask(), ask()])).map((a) => a.kind)).toEqual(['ran', 'busy']);
});

it('refuses before anything runs', async () => {
  const runner = createCliRunner();
  const answer = await runner.run({
    environmentId: 'a',
    airflowVersion: '3.3.1',
    python: '/nowhere',
    data: folder,
    words: ['scheduler'],
    env,
    cwd: folder,
    signal: new AbortController().signal,
  });
  expect(answer).toEqual({ kind: 'refused', reason: expect.stringContaining('scheduler') });
});

it.runIf(process.geteuid?.() === 0)('runs as the account it is given', async () => {
  const as = join(folder, 'as');
  writeFileSync(as, '#!/bin/sh\nid -u; id -g; id -G\n', { mode: 0o755 });
  execFileSync('chmod', ['755', folder]);
  const answer = await runAirflow({
    python: as,
    data: folder,
    words: [],
    env,
    cwd: '/',
    uid: 65534,
    gid: 65534,
    signal: new AbortController().signal,
  });
  expect(answer.kind === 'ran' && answer.stdout.toString()).toBe('65534\n65534\n65534\n');
});

it('hands on a word of a megabyte, in whatever characters', async () => {
  for (const word of ['x'.repeat(900_000), '💨'.repeat(250_000), `é${'\n€'.repeat(200_000)}`]) {
    const ran = await go(['length', word]);
    const stdout = ran.kind === 'ran' ? ran.stdout.toString().trim() : ran.kind;
    expect(stdout).toBe(String(Buffer.byteLength(word)));
  }
});
