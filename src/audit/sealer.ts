import type { Clock } from '../lib/clock.ts';
import { textOf } from '../lib/errors.ts';
import { failpoint } from '../lib/failpoint.ts';
import { every } from '../lib/keyed-queue.ts';
import type { Log } from '../lib/log.ts';
import type { AuditKey } from './audit-key.ts';
import type { NewestSealFile, SealStore } from './ports.ts';
import type { AuditSink } from './record.ts';
import { type BatchEntry, bodyOf, hashOfSeal, makeSeal, type Seal } from './seal.ts';

/** Milliseconds a record waits for its seal at most. */
const sealEvery = 1_000;
/** Records in one seal. */
const mostRecords = 5_000;
/** Characters of the records in one seal: they are read and hashed in one turn. */
const mostText = 2 * 1024 * 1024;
/** Milliseconds for which seals may fail before nothing more is recorded, and so nothing more is allowed. */
const patience = 60_000;
const sweepEvery = 3_600_000;
const day = 86_400_000;
/** Seals whose records are dropped in one transaction. */
const mostDropped = 100;

export interface SealerDeps {
  readonly store: SealStore;
  readonly file: NewestSealFile;
  readonly key: AuditKey;
  readonly clock: Clock;
  readonly log: Log;
  /** How many days records are kept. */
  readonly days: number;
}

/** Chains what was recorded, and forgets what is older than it has to be kept. */
export interface Sealer {
  /** Why records can no longer be sealed, for a minute or longer; undefined when all is well. */
  trouble(): string | undefined;
  /** Seals everything there is. */
  sealAll(): Promise<void>;
  /** Starts sealing every second, and forgetting every hour. The stop seals what is left. */
  start(audit: AuditSink): () => Promise<void>;
}

/**
 * The seal that the next one follows: the newest of the database, or that of the file when the database has lost or
 * changed it. The gap then stays for the verification to find.
 */
const latest = (kept: Seal | undefined, inFile: Seal | undefined, key: AuditKey): Seal | undefined => {
  if (!inFile || !key.isSignature(Buffer.from(inFile.body), inFile.signature)) return kept;
  return kept && bodyOf(inFile).number < bodyOf(kept).number ? kept : inFile;
};

const isFull = (batch: readonly BatchEntry[]): boolean =>
  batch.length >= mostRecords || batch.reduce((sum, { text }) => sum + (text?.length ?? 0), 0) >= mostText;

/** Gives whether the seal was full, so that there may be more. */
const sealOnce = async (d: SealerDeps): Promise<boolean> => {
  const { store, key, file } = d;
  const made = await store.inTransaction(async (tx) => {
    const kept = await store.newest(tx);
    // most seconds there is nothing to seal, and the file is not asked for
    const isFirst = (kept ?? latest(undefined, await file.read(), key)) === undefined;
    const batch = await (isFirst
      ? store.takeUnsealed(tx, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
      : store.takeUnsealed(tx, mostRecords, mostText));
    if (batch.length === 0) return { isFull: false, seal: undefined };
    const previous = latest(kept, await file.read(), key);
    if (previous && (!kept || hashOfSeal(previous) !== hashOfSeal(kept)))
      d.log.error('audit seals lost', { reason: `seal ${bodyOf(previous).number} is not as it was` });
    const seal = makeSeal({ batch, previous, key, now: d.clock.now() });
    const ids = batch.map(({ id }) => id);
    await store.insert(tx, seal, ids);
    failpoint('audit:before-seal-commit');
    return { isFull: isFull(batch), seal };
  });
  failpoint('audit:before-seal-file');
  if (made.seal) await file.write(made.seal);
  return made.isFull;
};

const sealAll = async (d: SealerDeps): Promise<void> => {
  while (await sealOnce(d));
};

/** Drops whole batches that are old enough, each with its own record of it; gives whether there may be more. */
const forgetSome = async (d: SealerDeps, audit: AuditSink): Promise<boolean> => {
  const before = new Date(d.clock.now() - d.days * day).toISOString();
  return d.store.inTransaction(async (tx) => {
    const oldest = (await d.store.oldestKept(tx, mostDropped)).map(bodyOf);
    const young = oldest.findIndex(({ sealedAt }) => sealedAt >= before);
    const old = young === -1 ? oldest : oldest.slice(0, young);
    const last = old.at(-1);
    if (!last) return false;
    const records = await d.store.dropRecords(
      tx,
      old.map(({ number }) => number),
    );
    await audit.write(
      {
        eventName: 'ExpireAuditRecords',
        readOnly: false,
        principal: 'server',
        sourceIp: 'windsock',
        userAgent: 'windsock',
        requestId: '',
        responseElements: { throughSeal: last.number, records, sealedBefore: before },
      },
      tx,
    );
    return old.length === mostDropped;
  });
};

/** The sealer of this server: one a database, run by its owner. */
export const createSealer = (d: SealerDeps): Sealer => {
  let wellAt = d.clock.monotonic();
  let reason: string | undefined;
  const sealNow = async (): Promise<void> => {
    try {
      await sealAll(d);
      wellAt = d.clock.monotonic();
      if (reason !== undefined) d.log.info('audit sealed again', {});
      reason = undefined;
    } catch (error) {
      if (reason === undefined) d.log.error('audit not sealed', { reason: textOf(error) });
      reason = textOf(error);
      throw error;
    }
  };
  let turn: Promise<void> = Promise.resolve();
  // each seal follows the one before, and the file is written in their order
  const seal = (): Promise<void> => {
    turn = turn.catch(() => {}).then(sealNow);
    return turn;
  };
  const trouble = () =>
    reason !== undefined && d.clock.monotonic() - wellAt > patience
      ? `The audit record cannot be sealed, so that nothing more is allowed: ${reason}`
      : undefined;
  return {
    trouble,
    sealAll: seal,
    start: (audit) => {
      const stopSealing = every(sealEvery, seal, () => {});
      const forget = async () => {
        while (await forgetSome(d, audit));
      };
      const failed = (error: unknown) => d.log.warn('housekeeping failed', { reason: textOf(error) });
      void forget().catch(failed);
      const stopForgetting = every(sweepEvery, forget, failed);
      return async () => {
        stopSealing();
        stopForgetting();
        await seal();
      };
    },
  };
};
