import { textOf } from '../lib/errors.ts';
import { every, KeyedQueue } from '../lib/keyed-queue.ts';
import type { Stop } from '../lib/stop.ts';
import { Attempts } from './attempts.ts';
import { type ReconcileDeps, reconcile } from './reconcile.ts';
import type { Placement } from './record.ts';

export interface Loop {
  /** Waits until no step runs any more; abort `stopping` first. */
  close(): Promise<void>;
}

/** Environments that are worked on at once. A step that waits is not: it is looked at now and then. */
const parallel = 16;
const lookAgain = 60_000;

/** Starts to keep every environment placed here as it is wanted: after every hint, and once a minute anyway. */
export const startLoop = async (
  d: Omit<ReconcileDeps, 'stopping' | 'locks' | 'attempts'>,
  placement: Placement,
): Promise<Loop> => {
  const stopping = new AbortController();
  const locks = d.store.openLocks();
  const deps: ReconcileDeps = {
    ...d,
    locks,
    attempts: new Attempts(d.clock),
    stopping: stopping.signal,
  };
  const queue = new KeyedQueue({ work: (id) => reconcile(deps, id), parallel });
  const addAll = async (): Promise<void> => {
    for (const id of await d.store.keys(placement)) queue.add(id);
  };
  const notListed = (error: unknown) => d.log.warn('environments not listed', { reason: textOf(error) });
  const stops: Stop[] = [
    await d.store.watch({
      changed: (id) => queue.add(id),
      missed: () => void addAll().catch(notListed),
    }),
    d.driver.onChange((id) => queue.add(id)),
    every(lookAgain, addAll, notListed),
  ];
  await addAll();
  return {
    close: async () => {
      for (const stop of stops) stop();
      stopping.abort();
      await queue.close();
      await locks.close();
    },
  };
};
