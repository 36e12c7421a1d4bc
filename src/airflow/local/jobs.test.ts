import { describe, expect, test } from 'vitest';
import { Jobs, ownKey } from './jobs.ts';

/** A job that ends when it is told to. */
const work = () => {
  let [end, fail, say] = [() => {}, (_: Error) => {}, (_: string) => {}];
  let signal: AbortSignal | undefined;
  let starts = 0;
  return {
    run: (report: (text: string) => void, stop: AbortSignal) => {
      starts += 1;
      signal = stop;
      say = report;
      return new Promise<void>((resolve, reject) => {
        end = resolve;
        fail = reject;
        stop.addEventListener('abort', () => reject(new Error('ended')));
      });
    },
    end: () => end(),
    fail: (text: string) => fail(new Error(text)),
    say: (text: string) => say(text),
    isStopped: () => signal?.aborted,
    starts: () => starts,
  };
};

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('jobs', () => {
  test('run once for all who ask, and each is told what they do and that they ended', async () => {
    const hints: string[] = [];
    const jobs = new Jobs((id) => hints.push(id));
    const w = work();
    for (const id of ['one', 'two']) expect(jobs.ask('install', id, w.run)).toMatchObject({ text: '' });
    await settled();
    w.say('unpacking');
    expect(hints.splice(0)).toEqual(['one', 'two']);
    expect(jobs.ask('install', 'one', w.run)).toMatchObject({ text: 'unpacking' });
    w.end();
    await settled();
    expect(hints).toEqual(['one', 'two']);
    for (const id of ['one', 'two']) expect(jobs.ask('install', id, w.run)).toBeUndefined();
    expect(w.starts()).toBe(1);
  });

  test('that fail say so to each who waited, once, and are started again by who asks then', async () => {
    const jobs = new Jobs(() => {});
    const w = work();
    for (const id of ['one', 'two']) jobs.ask('install', id, w.run);
    await settled();
    w.fail('no index');
    await settled();
    expect(() => jobs.ask('install', 'one', w.run)).toThrow('no index');
    jobs.ask('install', 'one', w.run);
    expect(() => jobs.ask('install', 'two', w.run)).toThrow('no index');
    await settled();
    expect(w.starts()).toBe(2);
    w.end();
    await settled();
    expect(jobs.ask('install', 'one', w.run)).toBeUndefined();
  });

  test('outlive who asked for them', async () => {
    const jobs = new Jobs(() => {});
    const w = work();
    jobs.ask('install', 'one', w.run);
    jobs.ask('install', 'two', w.run);
    await settled();
    await jobs.forget('one');
    expect(w.isStopped()).toBe(false);
    w.fail('no index');
    await settled();
    expect(() => jobs.ask('install', 'two', w.run)).toThrow('no index');
    expect(jobs.ask('install', 'one', w.run)).toBeDefined();
  });

  test('of one environment end with it, and are waited for', async () => {
    const jobs = new Jobs(() => {});
    const [own, common] = [work(), work()];
    jobs.ask(ownKey('one', 'packages'), 'one', own.run);
    jobs.ask('install', 'one', common.run);
    await settled();
    await jobs.forget('one');
    expect([own.isStopped(), common.isStopped()]).toEqual([true, false]);
    common.end();
    await settled();
  });

  test('end when the driver closes', async () => {
    const jobs = new Jobs(() => {});
    const w = work();
    jobs.ask('install', 'one', w.run);
    await settled();
    await jobs.close();
    expect(w.isStopped()).toBe(true);
  });
});
