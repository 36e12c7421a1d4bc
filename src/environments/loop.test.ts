import { expect, test, vi } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { startLoop } from './loop.ts';
import type { EnvironmentHints, EnvironmentStore, KeyLock } from './ports.ts';
import type { ReconcileDeps } from './reconcile.ts';
import type { EnvironmentRecord } from './record.ts';
import { fakeDoor, fakeDriver, recordWith } from './testing.ts';

/** A loop over so many environments, all in one status; those that wait have a step that never ends. */
const world = async (records: readonly EnvironmentRecord[], waits: (id: string) => boolean) => {
  const byId = new Map(records.map((e) => [e.id, e]));
  const drivers = new Map(
    records.map(({ id }) => [
      id,
      fakeDriver({
        fail: (step) => (step === 'base' && waits(id) ? { again: 60_000, text: '' } : undefined),
      }),
    ]),
  );
  const looked = new Set<string>();
  let hints: EnvironmentHints | undefined;
  let held = 0;
  let mostHeld = 0;
  const lockOf = (id: string): KeyLock => ({
    id,
    signal: new AbortController().signal,
    stillHeld: async () => true,
    setObserved: async (e, { progress: _, updateEnded: __, ...change }) => {
      byId.set(id, { ...e, ...change });
    },
    claimHostname: async (e, webserverHostname) => {
      byId.set(id, { ...e, webserverHostname });
      return true;
    },
  });
  const store = {
    findById: async (id: string) => {
      looked.add(id);
      return byId.get(id);
    },
    keys: async () => [...byId.keys()],
    watch: async (to: EnvironmentHints) => {
      hints = to;
      return () => {};
    },
    openLocks: () => ({
      withKey: async (id: string, work: (lock: KeyLock) => Promise<unknown>) => {
        held += 1;
        mostHeld = Math.max(mostHeld, held);
        return work(lockOf(id)).finally(() => {
          held -= 1;
        });
      },
      close: async () => {},
    }),
  } as unknown as EnvironmentStore;
  const driver = {
    observe: (e: EnvironmentRecord) => drivers.get(e.id)?.observe(e),
    apply: (...args: Parameters<ReconcileDeps['driver']['apply']>) => drivers.get(args[1].id)?.apply(...args),
    onChange: () => () => {},
  } as unknown as ReconcileDeps['driver'];
  const loop = await startLoop(
    {
      ...{ store, driver, door: fakeDoor().door, clock: systemClock, log: silentLog },
      onProgress: () => {},
      creationDeadline: 60_000,
      isOwner: async () => true,
    },
    { driver: 'local', host: 'local' },
  );
  return { loop, byId, looked, hints: () => hints, held: () => held, mostHeld: () => mostHeld };
};

const soon = async (what: () => void): Promise<void> => vi.waitFor(what, { timeout: 8_000, interval: 5 });

test('any number of environments that wait hold no slot: the next one is made all the same', async () => {
  const waiting = Array.from({ length: 40 }, (_, n) => recordWith({ id: `waits-${n}` }));
  const w = await world([...waiting, recordWith({ id: 'last' })], (id) => id !== 'last');
  await soon(() => {
    expect(w.byId.get('last')?.status).toBe('AVAILABLE');
    expect(w.held()).toBe(0);
  });
  expect(w.mostHeld()).toBeLessThanOrEqual(16);
  await w.loop.close();
});

test('changes that were not heard are found when the connection is made again', async () => {
  const w = await world([recordWith({ id: 'one', status: 'AVAILABLE' })], () => false);
  await soon(() => expect(w.looked).toEqual(new Set(['one'])));
  w.byId.set('two', recordWith({ id: 'two' }));
  w.hints()?.missed();
  await soon(() => expect(w.looked).toEqual(new Set(['one', 'two'])));
  await w.loop.close();
});
