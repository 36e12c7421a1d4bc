import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { endSession } from './end-processes.ts';
import { KeyedQueue } from './keyed-queue.ts';
import { run } from './process.ts';
import { processes, processFacts } from './processes.ts';
import { backOff } from './retry.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lib-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const env = { PATH: '/usr/bin:/bin' };

describe('run', () => {
  test('gives output and exit code, with exactly the given environment', async () => {
    const result = await run('sh', ['-c', 'env; echo wrong >&2; exit 3'], {
      env: { ...env, ONLY: 'this' },
      cwd: '/',
      timeout: 5_000,
    });
    expect(result).toMatchObject({ exitCode: 3, stderr: 'wrong\n', timedOut: false });
    expect(result.stdout).toContain('ONLY=this');
    expect(result.stdout).not.toContain('HOME=');
  });

  test('at the timeout every process of the session is gone, also one that ignores TERM', async () => {
    const mark = `97${process.pid}`;
    const result = await run('sh', ['-c', `trap "" TERM; sleep ${mark} & sleep ${mark}`], {
      env,
      cwd: '/',
      timeout: 300,
    });
    expect(result.timedOut).toBe(true);
    const left = processes().filter((p) => commandOf(p.pid).includes(mark));
    expect(left).toEqual([]);
  });

  test('what a program leaves behind in its session is ended with it', async () => {
    const mark = `96${process.pid}`;
    await run('sh', ['-c', `sleep ${mark} >/dev/null 2>&1 & exit 0`], { env, cwd: '/', timeout: 5_000 });
    expect(processes().filter((p) => commandOf(p.pid).includes(mark))).toEqual([]);
  });

  test('what left the session and keeps the output open is not waited for', async () => {
    const mark = `95${process.pid}`;
    const result = await run('sh', ['-c', `setsid -f sleep ${mark}; echo done`], {
      env,
      cwd: '/',
      timeout: 60_000,
      lateOutput: 50,
    });
    expect(result).toMatchObject({ exitCode: 0, stdout: 'done\n', timedOut: false });
    const left = processes().filter((p) => commandOf(p.pid).includes(mark));
    for (const { pid } of left) process.kill(pid, 'SIGKILL');
    expect(left).toHaveLength(1);
  });

  test('a program that is not there is an error', async () => {
    await expect(run('/nowhere/at/all', [], { env, cwd: '/', timeout: 1_000 })).rejects.toThrow('ENOENT');
  });
});

const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
};

describe('endSession', () => {
  const start = async (script: string) => {
    const child = spawn('sh', ['-c', script], {
      cwd: folder,
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = once(child, 'exit').then(() => {});
    const leader = processFacts(child.pid ?? 0);
    if (!leader) throw new Error('not started');
    // it says so once its trap is set
    await once(child.stdout, 'data');
    return { leader, ended };
  };

  test('gives the leader time, then ends the whole session', async () => {
    const { leader, ended } = await start(
      'trap "sleep 0.2; echo bye > bye; exit" TERM; echo ready; sleep 60 & wait',
    );
    expect(await endSession(leader, ended, 5_000)).toBe(true);
    expect(processes().some((p) => p.sessionId === leader.pid)).toBe(false);
    expect(readFileSync(join(folder, 'bye'), 'utf8')).toBe('bye\n');
  });

  test('after its patience it ends also what ignores TERM', async () => {
    const { leader, ended } = await start('trap "" TERM; echo ready; sleep 60 & sleep 60; sleep 60');
    expect(await endSession(leader, ended, 100)).toBe(true);
    expect(processes().some((p) => p.sessionId === leader.pid)).toBe(false);
  });

  test('signals nobody who has the number of a leader now', async () => {
    const { leader, ended } = await start('echo ready; sleep 60');
    const before = { pid: leader.pid, startTime: leader.startTime - 1 };
    expect(await endSession(before, Promise.resolve(), 100)).toBe(true);
    expect(processFacts(leader.pid)?.startTime).toBe(leader.startTime);
    expect(await endSession(leader, ended, 5_000)).toBe(true);
  });
});

describe('backOff', () => {
  test('doubles, stays within its bounds', () => {
    for (let tries = 1; tries < 40; tries += 1) {
      const wait = backOff(tries, { first: 100, most: 5_000 });
      expect(wait).toBeGreaterThanOrEqual(75);
      expect(wait).toBeLessThanOrEqual(6_250);
    }
    expect(backOff(5, { first: 100, most: 100_000 })).toBeGreaterThan(1_100);
  });
});

describe('KeyedQueue', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const passes = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);
  const takes = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

  test('one run of a key at a time, once more when asked meanwhile, others beside it', async () => {
    const log: string[] = [];
    let running = 0;
    let most = 0;
    const queue = new KeyedQueue({
      parallel: 2,
      work: async (key) => {
        running += 1;
        most = Math.max(most, running);
        log.push(key);
        await takes(30);
        running -= 1;
        return undefined;
      },
    });
    for (const key of ['a', 'a', 'a', 'b', 'c']) queue.add(key);
    await passes(10);
    queue.add('a');
    queue.add('a');
    await passes(200);
    expect(log.filter((k) => k === 'a')).toHaveLength(2);
    expect(log.filter((k) => k === 'b')).toHaveLength(1);
    expect(most).toBe(2);
    await queue.close();
  });

  test('comes back after the time the work asks for, and after work that throws nothing is stuck', async () => {
    let count = 0;
    const queue = new KeyedQueue({
      parallel: 1,
      work: async () => {
        count += 1;
        return count < 3 ? 10 : undefined;
      },
    });
    queue.add('k');
    await passes(150);
    expect(count).toBe(3);
    await queue.close();
    queue.add('k');
    await passes(30);
    expect(count).toBe(3);
  });

  test('close waits for what runs', async () => {
    let ended = false;
    const queue = new KeyedQueue({
      parallel: 1,
      work: async () => {
        await takes(80);
        ended = true;
        return 1;
      },
    });
    queue.add('k');
    await passes(10);
    const closed = queue.close();
    expect(ended).toBe(false);
    await passes(80);
    await closed;
    expect(ended).toBe(true);
  });
});
