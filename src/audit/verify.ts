import type { AuditKey } from './audit-key.ts';
import type { BatchEntry, KeptRecord, Seal } from './seal.ts';
import { type Finding, named, readBody, SealWalk } from './seal-walk.ts';

/** What was found out about an audit record. */
export interface Verification {
  readonly intact: boolean;
  readonly seals: number;
  readonly records: number;
  /** Records that are younger than the newest seal. */
  readonly waiting: number;
  /** Seals up to this one no longer have their records: they were kept as long as is set. */
  readonly expiredThrough: number;
  /** When the newest seal was made. */
  readonly sealedAt: string | undefined;
  /** The first thousand. */
  readonly findings: readonly Finding[];
}

export interface Evidence {
  readonly batches: AsyncIterable<{
    readonly number: number;
    readonly seal: Seal;
    /** Read once, before the next batch. */
    readonly entries: AsyncIterable<BatchEntry> | Iterable<BatchEntry> | undefined;
  }>;
  /** Asked once, after the batches. */
  unsealed(): Promise<{ readonly waiting: readonly KeptRecord[]; readonly strays: readonly KeptRecord[] }>;
  /** The seal of the file, as it was before the batches were read. */
  readonly newest: Seal | undefined;
  readonly key: AuditKey;
}

const checkEmptied = (walk: SealWalk): void => {
  for (const number of walk.emptied.filter((n) => n > walk.expired))
    walk.find({
      what: 'missing batch',
      seal: number,
      text: `the records of seal ${number} are gone, and nothing records that their time was over`,
    });
};

const checkStrays = (walk: SealWalk, strays: readonly KeptRecord[]): void => {
  for (const stray of strays) {
    const record = String(stray.id);
    if (walk.isGenuine(stray)) {
      const text = `${named(stray)} was never sealed: somebody took it from those that wait`;
      walk.find({ what: 'unsealed record', record, text });
    } else {
      const text = `${named(stray)} was not written by this installation`;
      walk.find({ what: 'inserted record', record, text });
    }
  }
};

const checkEnd = (walk: SealWalk, newest: Seal | undefined): void => {
  const body = newest && readBody(newest);
  const last = walk.previous?.body.number ?? 0;
  if (!body) {
    const text =
      'the file of the newest seal is gone: whether what was recorded last was cut off cannot be told';
    if (last > 0) walk.find({ what: 'no newest seal', text });
    return;
  }
  if (body.number <= last) return;
  const text =
    `the newest seal, ${body.number} of ${body.sealedAt}, is not in the database, which ends with seal ${last}: ` +
    'what was recorded last was cut off';
  walk.find({ what: 'cut off', seal: body.number, text });
};

/**
 * Checks every seal and every record: names what was altered, taken away, put in or cut off. Needs the audit key;
 * who has only the database cannot make what this calls intact. What was never recorded it cannot know.
 */
export const verifyAudit = async (evidence: Evidence): Promise<Verification> => {
  const walk = new SealWalk(evidence.key);
  for await (const { number, seal, entries } of evidence.batches) await walk.batch(number, seal, entries);
  const { waiting, strays } = await evidence.unsealed();
  for (const record of waiting) walk.waits(record);
  checkEmptied(walk);
  checkStrays(walk, strays);
  checkEnd(walk, evidence.newest);
  return {
    intact: walk.findings.length === 0,
    seals: walk.seals,
    records: walk.records,
    waiting: waiting.length,
    expiredThrough: walk.expired,
    sealedAt: walk.previous?.body.sealedAt,
    findings: walk.findings,
  };
};
