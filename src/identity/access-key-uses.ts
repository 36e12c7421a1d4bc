import type { Clock } from '../lib/clock.ts';

/** When and for what an access key was used last. */
export interface AccessKeyUse {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly service: string;
  readonly region: string;
}

/** Where uses are kept between starts. */
export interface AccessKeyUseStore {
  load(): Promise<readonly AccessKeyUse[]>;
  save(uses: readonly AccessKeyUse[]): Promise<void>;
}

export interface AccessKeyUses {
  last(id: string): AccessKeyUse | undefined;
  /** The Region is the one that the service counts as used. */
  note(id: string, use: { readonly service: string; readonly region: string }): void;
  /** Writes what is new; a crash loses at most what came since the last time. */
  flush(): Promise<void>;
}

/** Keeps uses in memory, so that a call writes nothing for it. */
export const openAccessKeyUses = async (
  store: AccessKeyUseStore,
  d: { readonly clock: Pick<Clock, 'now'> },
): Promise<AccessKeyUses> => {
  const uses = new Map((await store.load()).map((use) => [use.id, use]));
  const fresh = new Set<string>();
  return {
    last: (id) => uses.get(id),
    note: (id, use) => {
      const at = d.clock.now();
      // the machine's clock may have been set back
      if (at < (uses.get(id)?.at ?? 0)) return;
      uses.set(id, { id, at, ...use });
      fresh.add(id);
    },
    flush: async () => {
      const some = [...fresh].flatMap((id) => uses.get(id) ?? []);
      fresh.clear();
      try {
        if (some.length > 0) await store.save(some);
      } catch (error) {
        for (const { id } of some) fresh.add(id);
        throw error;
      }
    },
  };
};
