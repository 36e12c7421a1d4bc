import { createHash } from 'node:crypto';
import type { AuditKey } from './audit-key.ts';

/** A record as it is kept. */
export interface KeptRecord {
  readonly id: bigint;
  /** A UUID. */
  readonly eventId: string;
  /** Epoch milliseconds. */
  readonly eventTime: number;
  /** JSON, exactly as it was written. */
  readonly text: string;
  readonly mac: Buffer | null;
}

/** What a seal says. */
export interface SealBody {
  readonly format: 1;
  /** 1, 2, 3, … */
  readonly number: number;
  /** ISO 8601. */
  readonly sealedAt: string;
  readonly records: number;
  /** SHA-256 over a line for each record, in the order of their ids; hex. */
  readonly digest: string;
  /** Ids of records that were written and gone before they were sealed. */
  readonly missing: readonly string[];
  /** Ids of records that this installation did not write. */
  readonly foreign: readonly string[];
  /** SHA-256 of the seal before, hex; null for the first. */
  readonly previous: string | null;
  /** Id of the audit key. */
  readonly key: string;
}

/** A signed seal over a batch of records, chained to the one before it. */
export interface Seal {
  /** JSON of a SealBody, exactly as it was signed. */
  readonly body: string;
  readonly signature: Buffer;
}

/** An entry of a batch: a record, or the id of one that is gone. */
export type BatchEntry = KeptRecord | { readonly id: bigint; readonly text: undefined };

/** The bytes that a record's MAC and its line in a digest are made of. */
export const recordBytes = (record: Pick<KeptRecord, 'eventId' | 'eventTime' | 'text'>): Buffer =>
  Buffer.from(`${record.eventId}\n${record.eventTime}\n${record.text}`);

const lineOf = (entry: BatchEntry): string => {
  if (entry.text === undefined) return `${entry.id} missing\n`;
  return `${entry.id} ${createHash('sha256').update(recordBytes(entry)).digest('hex')}\n`;
};

/** What a seal commits to, an entry at a time: every id, and every byte of its record. */
export class Digest {
  readonly #hash = createHash('sha256');

  add(entry: BatchEntry): void {
    this.#hash.update(lineOf(entry));
  }

  /** Once, at the end. */
  hex(): string {
    return this.#hash.digest('hex');
  }
}

/** The same of a whole batch. */
const digestOf = (batch: readonly BatchEntry[]): string => {
  const digest = new Digest();
  for (const entry of batch) digest.add(entry);
  return digest.hex();
};

/** What the next seal says of this one. */
export const hashOfSeal = (seal: Seal): string =>
  createHash('sha256').update(seal.body).update('\n').update(seal.signature).digest('hex');

/** Throws SyntaxError for what is no JSON. */
export const bodyOf = (seal: Seal): SealBody => JSON.parse(seal.body) as SealBody;

/**
 * Seals a batch after `previous`. Records of before there were seals have no MAC; they are taken into the first seal
 * only.
 */
export const makeSeal = (o: {
  readonly batch: readonly BatchEntry[];
  readonly previous: Seal | undefined;
  readonly key: AuditKey;
  /** Epoch milliseconds. */
  readonly now: number;
}): Seal => {
  const { batch, previous, key } = o;
  const isFirst = previous === undefined;
  const isForeign = (entry: BatchEntry): boolean =>
    entry.text !== undefined && !(isFirst && entry.mac === null) && !key.isMac(recordBytes(entry), entry.mac);
  const body: SealBody = {
    format: 1,
    number: previous === undefined ? 1 : bodyOf(previous).number + 1,
    sealedAt: new Date(o.now).toISOString(),
    records: batch.length,
    digest: digestOf(batch),
    missing: batch.filter((entry) => entry.text === undefined).map(({ id }) => String(id)),
    foreign: batch.filter(isForeign).map(({ id }) => String(id)),
    previous: previous === undefined ? null : hashOfSeal(previous),
    key: key.id,
  };
  const text = JSON.stringify(body);
  return { body: text, signature: key.sign(Buffer.from(text)) };
};
