import type { AuditKey } from './audit-key.ts';
import {
  type BatchEntry,
  bodyOf,
  Digest,
  hashOfSeal,
  type KeptRecord,
  recordBytes,
  type Seal,
  type SealBody,
} from './seal.ts';

/** One thing that is not as it was recorded. */
export interface Finding {
  readonly what:
    | 'altered record'
    | 'missing record'
    | 'inserted record'
    | 'unsealed record'
    | 'altered seal'
    | 'missing seal'
    | 'altered batch'
    | 'missing batch'
    | 'cut off'
    | 'no newest seal'
    | 'other key';
  /** Number of the seal, where it is about one. */
  readonly seal?: number;
  /** Id of the record in the database, where it is about one. */
  readonly record?: string;
  /** For people. */
  readonly text: string;
}

const mostFindings = 1_000;

/** A record as a person finds it again. */
export const named = (record: KeptRecord): string => {
  const about = /"eventName":"(\w{1,60})"/.exec(record.text)?.[1] ?? 'an event';
  return `record ${record.id} (${about}, ${new Date(record.eventTime).toISOString()})`;
};

/** A genuine record of records that were kept as long as is set: the seal through which they are gone. */
const expiredBy = (text: string): number => {
  if (!text.includes('"eventName":"ExpireAuditRecords"')) return 0;
  const event = JSON.parse(text) as { eventName: string; responseElements?: { throughSeal?: number } | null };
  return event.eventName === 'ExpireAuditRecords' ? Number(event.responseElements?.throughSeal ?? 0) : 0;
};

/** Stands for a seal that cannot be read. */
const unknownBody: SealBody = {
  format: 1,
  number: 0,
  sealedAt: '',
  records: 0,
  digest: '',
  missing: [],
  foreign: [],
  previous: null,
  key: '',
};

/** The seal's words; undefined for what is no JSON. */
export const readBody = (seal: Seal): SealBody | undefined => {
  try {
    return bodyOf(seal);
  } catch {
    return undefined;
  }
};

/** Goes along the seals, oldest first, and remembers what it found. */
export class SealWalk {
  readonly findings: Finding[] = [];
  readonly #key: AuditKey;
  seals = 0;
  records = 0;
  /** Seals up to this one may be without their records. */
  expired = 0;
  readonly emptied: number[] = [];
  /** The seal before; without a hash when it was altered. */
  previous: { readonly body: SealBody; readonly hash: string | undefined } | undefined;

  constructor(key: AuditKey) {
    this.#key = key;
  }

  find(finding: Finding): void {
    if (this.findings.length < mostFindings) this.findings.push(finding);
  }

  isGenuine = (record: KeptRecord): boolean => this.#key.isMac(recordBytes(record), record.mac);

  /** The seal's own words, or undefined when it is not what this installation signed. */
  #bodyOf(number: number, seal: Seal): SealBody | undefined {
    const signed = this.#key.isSignature(Buffer.from(seal.body), seal.signature);
    const body = readBody(seal);
    if (signed && body?.number === number) return body;
    if (!signed && body !== undefined && body.key !== this.#key.id && body.number === number) {
      const text = `seal ${number} was signed with another key (${body.key}): it cannot be checked here`;
      this.find({ what: 'other key', seal: number, text });
      return body;
    }
    this.find({ what: 'altered seal', seal: number, text: `seal ${number} is not as it was signed` });
    return undefined;
  }

  #chain(number: number, body: SealBody | undefined, seal: Seal): void {
    const before = this.previous;
    const expected = (before?.body.number ?? 0) + 1;
    if (number !== expected) {
      const gone = number === expected + 1 ? `seal ${expected} is` : `seals ${expected} to ${number - 1} are`;
      this.find({
        what: 'missing seal',
        seal: expected,
        text: `${gone} missing, with what was recorded under it`,
      });
    } else if (body && (!before || before.hash !== undefined) && body.previous !== (before?.hash ?? null)) {
      this.find({
        what: 'altered seal',
        seal: number,
        text: `seal ${number} does not follow the seal before it`,
      });
    }
    this.previous = body
      ? { body, hash: hashOfSeal(seal) }
      : { body: { ...unknownBody, number }, hash: undefined };
  }

  #record(number: number, entry: BatchEntry, body: SealBody | undefined): void {
    const id = String(entry.id);
    if (entry.text === undefined) {
      const sealed = body?.missing.includes(id) ? 'was taken away before it could be sealed' : 'is gone';
      this.find({
        what: 'missing record',
        seal: number,
        record: id,
        text: `record ${id} of seal ${number} ${sealed}`,
      });
      return;
    }
    this.records += 1;
    // what was recorded before there were seals has no MAC; the first seal's digest stands for it
    if (number === 1 && entry.mac === null) return;
    if (this.isGenuine(entry)) {
      this.#expire(entry);
      return;
    }
    const what = body?.foreign.includes(id) ? 'inserted record' : 'altered record';
    const how =
      what === 'inserted record' ? 'was not written by this installation' : 'is not as it was written';
    this.find({ what, seal: number, record: id, text: `${named(entry)} of seal ${number} ${how}` });
  }

  #expire(record: KeptRecord): void {
    this.expired = Math.max(this.expired, expiredBy(record.text));
  }

  /** A record that no seal covers yet. */
  waits(record: KeptRecord): void {
    if (this.isGenuine(record)) this.#expire(record);
  }

  /** The next seal; its records are undefined when they were dropped. */
  async batch(
    number: number,
    seal: Seal,
    entries: AsyncIterable<BatchEntry> | Iterable<BatchEntry> | undefined,
  ): Promise<void> {
    this.seals += 1;
    const body = this.#bodyOf(number, seal);
    this.#chain(number, body, seal);
    if (!entries) {
      this.emptied.push(number);
      return;
    }
    const found = this.findings.length;
    const isOurs = body?.key === undefined || body.key === this.#key.id;
    const digest = new Digest();
    for await (const entry of entries) {
      digest.add(entry);
      if (isOurs) this.#record(number, entry, body);
      else this.records += 1;
    }
    // an altered or missing record explains it; otherwise the list of the batch itself was changed
    if (body && body.digest !== digest.hex() && this.findings.length === found)
      this.find({
        what: 'altered batch',
        seal: number,
        text: `the records of seal ${number} are not those that it was made over`,
      });
  }
}
