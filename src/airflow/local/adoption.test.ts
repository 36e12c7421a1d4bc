import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { isAnyAlive, killAll, killSession, sessionOf } from '../../lib/end-processes.ts';
import { silentLog } from '../../lib/log.ts';
import { selectFrom } from '../../lib/process-selection.ts';
import { allProcesses, isAlive, type ProcessFacts, processes, processFacts } from '../../lib/processes.ts';
import { Component, type ComponentOptions } from './component.ts';
import { environmentMark } from './environment-variables.ts';
import { type Facts, forgetProcesses, livingOf, readFacts, sessionsOf, writeFacts } from './facts.ts';
import { type ComponentSpec, startLeader } from './leader.ts';
import { endStrays } from './strays.ts';

const env = { PATH: '/usr/bin:/bin' };
const own = { pid: process.pid, startTime: processFacts(process.pid)?.startTime ?? 0 };
let folder: string;

beforeEach(() => {
  folder = mkdtempSync('/tmp/windsock-adoption-');
});
afterEach(async () => {
  await killAll({ anyOf: [{ childOf: own, leadsSession: true }] });
  rmSync(folder, { recursive: true, force: true });
});

const spec = (script: string, more: Record<string, string> = {}): ComponentSpec => ({
  name: 'scheduler',
  program: '/bin/sh',
  args: ['-c', script],
  env: { ...env, ...more },
  cwd: folder,
  account: undefined,
  view: undefined,
  logFile: join(folder, 'scheduler.log'),
});

const until = async (what: string, ask: () => boolean): Promise<void> => {
  const deadline = performance.now() + 8_000;
  while (!ask()) {
    if (performance.now() > deadline) throw new Error(`in vain: ${what}`);
    if (vi.isFakeTimers()) vi.advanceTimersByTime(1_000);
    await delay(20);
  }
};

const component = (script: string, more: Partial<ComponentOptions> = {}): Component =>
  new Component({
    name: 'scheduler',
    environmentId: 'abcdefghijkl',
    spec: () => spec(script),
    log: silentLog,
    record: () => {},
    changed: () => {},
    endRest: killSession,
    mayStart: () => true,
    ...more,
  });

describe('startLeader', () => {
  test('the program begins only after it was written down', async () => {
    const seen: boolean[] = [];
    const leader = startLeader(
      spec('touch begun; sleep 60'),
      () => {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
        seen.push(existsSync(join(folder, 'begun')));
      },
      () => {},
    );
    await until('begun', () => existsSync(join(folder, 'begun')));
    expect(seen).toEqual([false]);
    expect(processFacts(leader.pid)).toMatchObject({ sessionId: leader.pid, startTime: leader.startTime });
  });

  test('what cannot be written down is not started', async () => {
    const full = () => {
      throw new Error('ENOSPC');
    };
    expect(() => startLeader(spec('touch begun; sleep 60'), full, () => {})).toThrow('ENOSPC');
    await until('no child', () => !processes().some((p) => p.ppid === process.pid && p.sessionId === p.pid));
    expect(existsSync(join(folder, 'begun'))).toBe(false);
  });
});

describe('Component', () => {
  // processes are real; the pauses between them are not waited for
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  test('is restarted after its end, with nothing of the one before left', async () => {
    const c = component('sleep 61 & sleep 62');
    c.start();
    const first = c.leader;
    if (!first) throw new Error('not started');
    process.kill(first.pid, 'SIGKILL');
    await until('another', () => c.leader !== undefined && c.leader.pid !== first.pid);
    expect(await isAnyAlive({ anyOf: [sessionOf(first)] })).toBe(false);
    expect(c.status).toMatchObject({ state: 'running', restarts: 1, lastError: 'ended by SIGKILL' });
    await c.stop(1_000);
    expect(c.status.state).toBe('stopped');
  });

  test('an adopted process that ends counts as failed and is restarted', async () => {
    const before = startLeader(
      spec('sleep 61'),
      () => {},
      () => {},
    );
    before.letGo();
    const c = component('sleep 62');
    expect(c.adopt(before, { since: 5, restarts: 3 })).toBe(true);
    expect(c.status).toMatchObject({ adopted: true, since: 5, restarts: 3, pid: before.pid });
    c.start();
    expect(c.leader?.pid).toBe(before.pid);
    process.kill(before.pid, 'SIGKILL');
    await until('another', () => c.leader !== undefined && c.leader.pid !== before.pid);
    expect(c.status).toMatchObject({ adopted: false, restarts: 4 });
    await c.stop(1_000);
  });

  test('a number that belongs to another process now is not adopted', () => {
    const c = component('sleep 62');
    expect(c.adopt({ pid: process.pid, startTime: 1 }, { since: 0, restarts: 0 })).toBe(false);
    expect(c.state).toBe('stopped');
  });

  test('nothing is started while another server may act', async () => {
    let mayStart = false;
    const c = component('sleep 62', { mayStart: () => mayStart });
    c.start();
    expect(c.state).toBe('waiting');
    mayStart = true;
    await until('started', () => c.state === 'running');
    await c.stop(1_000);
  });

  test('let go, it lives on and nobody restarts it', async () => {
    const c = component('sleep 62');
    c.start();
    const leader = c.leader;
    if (!leader) throw new Error('not started');
    c.letGo();
    expect(isAlive(leader)).toBe(true);
    process.kill(leader.pid, 'SIGKILL');
    await until('its end', () => !isAlive(leader));
    vi.advanceTimersByTime(60_000);
    expect(c.leader?.pid).toBe(leader.pid);
  });
});

describe('facts', () => {
  const fact = { component: 'scheduler', since: 0, restarts: 0 };
  const facts = { format: 4, folder: '/', bootId: 'b', revision: 'r', view: 'none', webPort: 4711 } as const;
  const now = { bootId: 'b', revision: 'r', view: 'none' } as const;
  const ours = (written: Facts, bootId: string, all: readonly ProcessFacts[]) =>
    selectFrom(all, { anyOf: sessionsOf(written, bootId, 0) }).map(({ pid }) => pid);
  const other: ProcessFacts = {
    pid: 2,
    ppid: 1,
    uid: 0,
    state: 'S',
    threads: 1,
    sessionId: 0,
    startTime: 10,
  };

  test('a process that took over the number of ours is a stranger', () => {
    const written = { ...facts, processes: [{ ...fact, pid: process.pid, startTime: 1 }] };
    const stranger = { ...other, sessionId: process.pid, startTime: 10_000 };
    expect(ours(written, 'b', [...allProcesses(), stranger])).toEqual([]);
    expect(livingOf(written, now)).toEqual([]);
  });

  test('nothing from before a reboot is ours', () => {
    const written = { ...facts, processes: [{ ...fact, pid: 999_999_999, startTime: 1 }] };
    const child = { ...other, sessionId: 999_999_999 };
    expect(ours(written, 'b', [child])).toEqual([2]);
    expect(ours(written, 'after', [child])).toEqual([]);
  });

  test('children in the session of a leader that ended are ours, unless another account has its number now', () => {
    const written = { ...facts, processes: [{ ...fact, pid: 999_999_999, startTime: 5 }] };
    const children = [
      { ...other, sessionId: 999_999_999 },
      { ...other, pid: 3, sessionId: 999_999_998 },
      { ...other, pid: 4, sessionId: 999_999_999, uid: 7 },
    ];
    expect(ours(written, 'b', children)).toEqual([2]);
  });

  test('what lives of this generation is found again; a torn file, another format, generation or view are nothing', () => {
    const file = join(folder, 'facts.json');
    const startTime = processFacts(process.pid)?.startTime ?? 0;
    const me = { ...fact, pid: process.pid, startTime };
    writeFacts(file, { ...now, webPort: 4711, processes: [me] });
    expect(livingOf(readFacts(file), now)).toEqual([me]);
    expect(livingOf(readFacts(file), { ...now, revision: 'other' })).toEqual([]);
    expect(livingOf(readFacts(file), { ...now, bootId: 'c' })).toEqual([]);
    expect(livingOf(readFacts(file), { ...now, view: 'root' })).toEqual([]);
    forgetProcesses(file);
    expect(readFacts(file)).toMatchObject({ webPort: 4711, revision: 'r', processes: [] });
    forgetProcesses(join(folder, 'no-such-facts.json'));
    const copy = join(mkdtempSync(join(folder, 'copy-')), 'facts.json');
    writeFileSync(copy, readFileSync(file));
    expect(readFacts(copy)).toBeUndefined();
    for (const text of ['', '[]', readFileSync(file, 'utf8').slice(0, -4), '{"format":1,"processes":[]}']) {
      writeFileSync(file, text);
      expect(readFacts(file)).toBeUndefined();
    }
  });
});

describe('endStrays', () => {
  const root = `/strays/${process.pid}`;
  const marked = Object.fromEntries([environmentMark(root)]);
  const owner = { root, uid: undefined, facts: undefined, bootId: 'b' };
  const environmentOf = (pid: number): string => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1');
    } catch {
      return '';
    }
  };
  const living = () => processes().filter((p) => environmentOf(p.pid).includes(root));

  test('ends what left its session, and neither a component, nor its shell task, nor anybody else', async () => {
    const keep = spawn('/bin/sh', ['-c', 'setsid sleep 63 & sleep 64; true'], {
      env: { ...env, ...marked },
      detached: true,
      stdio: 'ignore',
    });
    // a double fork: its parent ends, init takes it
    spawn('/bin/sh', ['-c', '(setsid sleep 65 &) ; exit 0'], {
      env: { ...env, ...marked },
      detached: true,
      stdio: 'ignore',
    });
    const stranger = spawn('sleep', ['66'], { env, detached: true, stdio: 'ignore' });
    await until('all are there', () => living().filter((p) => p.pid !== keep.pid).length === 3);
    expect(await endStrays(owner, [keep.pid ?? 0])).toBe(true);
    expect(living().map((p) => p.pid === keep.pid || p.ppid === keep.pid)).toEqual([true, true, true]);
    expect(processFacts(stranger.pid ?? 0)).toBeDefined();
    expect(await endStrays(owner, [])).toBe(true);
    const uid = process.geteuid?.() ?? -1;
    await killAll({ anyOf: [{ uid, variable: environmentMark(root).join('=') }] });
    expect(living()).toEqual([]);
  });
});
