import { describe, expect, test } from 'vitest';
import type { ServerFile, StatusFile } from '../../config/runtime-files.ts';
import type { ProcessFacts } from '../../lib/processes.ts';
import { stopText } from '../commands/stop.ts';
import { durationText } from './duration.ts';
import { type Found, type Machine, reportOf, stillRunning } from './report.ts';
import { statusText } from './text.ts';

const now = 1_800_000_000_000;
const minutes = (count: number): number => now - count * 60_000;

const server: ServerFile = {
  pid: 100,
  startTime: 1000,
  bootId: 'boot',
  version: '0.1.0',
  startedAt: minutes(123),
  endpoint: 'http://localhost:7400',
};
const part = { since: minutes(122), restarts: 0, adopted: false };
const status: StatusFile = {
  state: 'running',
  writtenAt: minutes(5),
  server,
  postgres: { state: 'running', pid: 200, startTime: 990, ...part },
  environments: [
    {
      name: 'demo',
      id: 'abcdefghijkl',
      status: 'AVAILABLE',
      since: minutes(121),
      airflowVersion: '3.3.1',
      address: 'https://localhost:7443',
      content: { version: '0123456789abcdef', since: minutes(10), files: 12, failed: 1 },
      components: [
        { name: 'webserver', state: 'running', pid: 300, startTime: 1100, ...part },
        {
          name: 'scheduler',
          state: 'running',
          pid: 310,
          startTime: 1101,
          ...part,
          restarts: 2,
          lastError: 'ended by SIGKILL',
        },
      ],
    },
  ],
};

const process = (pid: number, startTime: number, more: Partial<ProcessFacts> = {}): ProcessFacts => ({
  pid,
  startTime,
  ppid: 1,
  sessionId: pid,
  uid: 0,
  state: 'S',
  threads: 1,
  ...more,
});
const postgres = process(200, 990);
const airflow = [process(300, 1100), process(301, 1120, { sessionId: 300 }), process(310, 1101)];
const all = [process(100, 1000), postgres, ...airflow];
const machine = (processes: readonly ProcessFacts[], bootId = 'boot'): Machine => ({ bootId, processes });
const found: Found = { data: '/data', server, status, postmaster: postgres };
const states = (f: Found, m: Machine) => {
  const r = reportOf(f, m);
  const components = r.environments.flatMap((e) => e.components.map((c) => c.state));
  return [r.ok, r.server.state, r.postgres.state, ...components];
};

describe('reportOf', () => {
  test('all is well', () => {
    expect(states(found, machine(all))).toEqual([true, 'running', 'running', 'running', 'running']);
  });

  test('a killed server: what it started still runs, and is counted', () => {
    const r = reportOf(found, machine([postgres, ...airflow]));
    expect([r.ok, r.server.state]).toEqual([false, 'killed']);
    expect(stillRunning(r)).toEqual(['PostgreSQL', 'Airflow of demo (3 processes)']);
  });

  test('a process that only has the number of the server is not the server', () => {
    expect(states(found, machine([process(100, 5000), postgres, ...airflow]))[1]).toBe('killed');
    expect(states(found, machine([process(100, 1000, { state: 'Z' }), postgres]))[1]).toBe('killed');
  });

  test('strangers with the numbers of components are not counted', () => {
    const strangers = [process(300, 9000), process(301, 9001, { sessionId: 300 }), process(310, 9000)];
    const r = reportOf(found, machine([process(100, 1000), postgres, ...strangers]));
    expect(r.environments[0]?.processes).toBe(0);
    expect(r.environments[0]?.components.map((c) => c.state)).toEqual(['ended', 'ended']);
    expect(r.ok).toBe(false);
  });

  test('children outlive their leader', () => {
    const r = reportOf(found, machine([process(301, 1120, { sessionId: 300 })]));
    expect(r.environments[0]).toMatchObject({
      processes: 1,
      components: [{ state: 'ended' }, { state: 'ended' }],
    });
  });

  test('after the machine started anew nothing runs, whatever has the numbers', () => {
    const r = reportOf({ ...found, postmaster: undefined }, machine(all, 'another boot'));
    expect(r.server.state).toBe('killed');
    expect(stillRunning(r)).toEqual([]);
  });

  test('held by a signal', () => {
    const held = process(100, 1000, { state: 'T' });
    expect(states(found, machine([held, postgres, ...airflow]))).toEqual([
      ...[false, 'paused', 'running', 'running', 'running'],
    ]);
    const web = process(300, 1100, { state: 'T' });
    expect(states(found, machine([process(100, 1000), postgres, web, process(310, 1101)]))).toEqual([
      ...[false, 'running', 'running', 'paused', 'running'],
    ]);
  });

  test('a stop is told from a kill, also when server.json is gone', () => {
    const stopped: Found = {
      ...found,
      server: undefined,
      status: { ...status, state: 'stopped', leaving: 'end' },
    };
    expect(states({ ...stopped, postmaster: undefined }, machine([]))).toEqual([
      ...[false, 'stopped', 'stopped', 'ended', 'ended'],
    ]);
    const stopping: Found = {
      ...found,
      server: undefined,
      status: { ...status, state: 'stopping', leaving: 'end' },
    };
    expect(states(stopping, machine(all))[1]).toBe('stopping');
  });

  test('the last word of an earlier server says nothing of this one', () => {
    const next = { ...server, pid: 101, startTime: 2000 };
    const old: Found = {
      ...found,
      server: next,
      status: { ...status, state: 'stopped' },
      postmaster: undefined,
    };
    expect(states(old, machine([process(101, 2000)]))[1]).toBe('running');
    expect(states(old, machine([]))[1]).toBe('killed');
  });

  test('a component that waits, a database that is restarted, an environment without components: not well', () => {
    const [demo] = status.environments;
    if (!demo) throw new Error('there is no environment');
    const waiting = { ...demo, components: [{ name: 'scheduler', state: 'waiting' as const, ...part }] };
    const at = (changed: Partial<StatusFile>, more: Partial<Found> = {}) =>
      states({ ...found, status: { ...status, ...changed }, ...more }, machine(all));
    expect(at({ environments: [waiting] })).toEqual([false, 'running', 'running', 'waiting']);
    expect(at({ environments: [{ ...demo, components: [] }] })[0]).toBe(false);
    expect(at({ environments: [{ ...demo, status: 'CREATE_FAILED', components: [] }] })[0]).toBe(false);
    expect(at({ environments: [{ ...demo, status: 'CREATING', components: [] }] })[0]).toBe(true);
    const restarting = { state: 'restarting' as const, ...part };
    expect(at({ postgres: restarting }, { postmaster: undefined }).slice(0, 3)).toEqual([
      ...[false, 'running', 'restarting'],
    ]);
    expect(at({ postgres: { state: 'external', ...part } }, { postmaster: undefined })[0]).toBe(true);
  });

  test('nothing is known', () => {
    const r = reportOf(
      { ...found, server: undefined, status: undefined, postmaster: undefined },
      machine(all),
    );
    expect(r).toMatchObject({ ok: false, server: { state: 'not started' }, environments: [] });
    expect(statusText(r, now)).toBe('Server      not started on /data; --data DIR names another folder\n');
  });
});

describe('statusText', () => {
  test('while all runs', () => {
    expect(statusText(reportOf(found, machine(all)), now)).toBe(
      [
        'Server      running, started 2 h 3 min ago, pid 100, version 0.1.0, http://localhost:7400',
        'PostgreSQL  running for 2 h 2 min, pid 200',
        '',
        'ENVIRONMENT  ID            STATUS     FOR        AIRFLOW  ADDRESS                 LAST ERROR',
        'demo         abcdefghijkl  AVAILABLE  2 h 1 min  3.3.1    https://localhost:7443',
        '',
        'ENVIRONMENT  DAG FILES  VERSION           FOR     IMPORT ERRORS',
        'demo         12         0123456789abcdef  10 min  1',
        '',
        'ENVIRONMENT  COMPONENT  STATE    FOR        PID  RESTARTS  ADOPTED  LAST ERROR',
        'demo         webserver  running  2 h 2 min  300  0         no',
        'demo         scheduler  running  2 h 2 min  310  2         no       ended by SIGKILL',
        '',
      ].join('\n'),
    );
  });

  test('after a kill it says what still runs and what to do', () => {
    const text = statusText(reportOf(found, machine([postgres, ...airflow])), now);
    expect(text).toContain('killed: pid 100 has ended without a stop');
    expect(text).toContain(
      'Still running: PostgreSQL, Airflow of demo (3 processes).\nThe next start takes them over: windsock start\n',
    );
    expect(text).toContain('5 min ago');
  });

  test('an error of many lines takes one', () => {
    const [demo] = status.environments;
    const failed = {
      ...status,
      environments: demo ? [{ ...demo, lastError: `a\n\u001b[31mb ${'c'.repeat(500)}` }] : [],
    };
    const lines = statusText(reportOf({ ...found, status: failed }, machine(all)), now).split('\n');
    expect(lines.find((line) => line.includes('AVAILABLE'))?.length).toBeLessThan(200);
    expect(lines.join('')).not.toContain('\u001b');
  });
});

describe('stopText', () => {
  const result = {
    data: '/data',
    wasRunning: true,
    pid: 1,
    took: 1234,
    before: ['PostgreSQL'],
    stillRunning: [],
  };
  test('says what ended, what goes on, and what to do', () => {
    expect(stopText(result, false)).toBe('The server has ended after 1.2 s.\nEnded with it: PostgreSQL.\n');
    const kept = { ...result, stillRunning: ['PostgreSQL'] };
    expect(stopText(kept, true)).toContain('Still running: PostgreSQL.\nThe next start takes them over.');
    expect(stopText({ ...kept, wasRunning: false }, false)).toMatch(
      /^Windsock is not running on \/data\.\nStill running: PostgreSQL\.\nStart/,
    );
    expect(stopText({ ...result, wasRunning: false, before: [] }, false)).toBe(
      'Windsock is not running on /data.\n',
    );
  });
});

test('durationText gives the two largest units', () => {
  const cases: readonly [number, string][] = [
    [-5, '0 s'],
    [999, '0 s'],
    [45_000, '45 s'],
    [60_000, '1 min'],
    [61_000, '1 min 1 s'],
    [2 * 3_600_000 + 3 * 60_000 + 9_000, '2 h 3 min'],
    [3_600_000 + 9_000, '1 h'],
    [26 * 3_600_000, '1 d 2 h'],
  ];
  for (const [milliseconds, text] of cases) expect(durationText(milliseconds)).toBe(text);
});
