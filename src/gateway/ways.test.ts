import { describe, expect, it } from 'vitest';
import { recordOf } from './test-door.ts';
import { OpenedModes } from './ways.ts';

describe('the modes that doors were opened for', () => {
  const record = recordOf('aaaaaaaaaaaa', 'demo', '3.3.1');
  const as = (WebserverAccessMode: string) => ({ ...record, spec: { ...record.spec, WebserverAccessMode } });
  const [inside, everywhere] = [as('PRIVATE_ONLY'), as('PUBLIC_AND_PRIVATE')];
  const done = async () => {};

  it('count once everything that opening does was done', async () => {
    const opened = new OpenedModes();
    const fails = () => Promise.reject(new Error('the database is away'));
    await expect(opened.during(inside, fails)).rejects.toThrow('away');
    expect(opened.stateOf(inside)).toBe('outdated');
    await opened.during(inside, done);
    expect(opened.stateOf(inside)).toBe('open');
    await expect(opened.during(inside, fails)).rejects.toThrow('away');
    expect(opened.stateOf(inside)).toBe('outdated');
  });

  it('do not count again after another one was wanted', async () => {
    const opened = new OpenedModes();
    await opened.during(inside, done);
    expect([everywhere, inside].map((e) => opened.stateOf(e))).toEqual(['outdated', 'outdated']);
    await opened.during(inside, done);
    expect(opened.stateOf(inside)).toBe('open');
  });
});
