import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { auditKeyFrom } from './audit-key.ts';
import { type BatchEntry, bodyOf, type KeptRecord, makeSeal, recordBytes, type Seal } from './seal.ts';
import { verifyAudit } from './verify.ts';

const key = auditKeyFrom(Buffer.alloc(32, 7));
const now = Date.parse('2026-11-25T20:00:00Z');

const record = (id: number, event: object = {}): KeptRecord => {
  const kept = {
    eventId: `e-${id}`,
    eventTime: now + id,
    text: JSON.stringify({ eventName: 'CreateCliToken', id, ...event }),
  };
  return { id: BigInt(id), ...kept, mac: key.mac(recordBytes(kept)) };
};

interface Batch {
  number: number;
  seal: Seal;
  entries: readonly BatchEntry[] | undefined;
}

const chainOf = (batches: readonly (readonly BatchEntry[])[]): Batch[] => {
  const chain: Batch[] = [];
  for (const batch of batches) {
    const seal = makeSeal({ batch, previous: chain.at(-1)?.seal, key, now });
    chain.push({ number: bodyOf(seal).number, seal, entries: batch });
  }
  return chain;
};

const threeBatches = () => chainOf([[record(1), record(2)], [record(4), record(3)], [record(5)]]);

async function* each(chain: readonly Batch[]) {
  yield* chain;
}

const verify = (
  chain: readonly Batch[],
  more: {
    readonly waiting?: readonly KeptRecord[];
    readonly strays?: readonly KeptRecord[];
    readonly newest?: Seal | undefined;
  } = {},
) =>
  verifyAudit({
    batches: each(chain),
    unsealed: async () => ({ waiting: more.waiting ?? [], strays: more.strays ?? [] }),
    newest: 'newest' in more ? more.newest : chain.at(-1)?.seal,
    key,
  });

const found = async (...args: Parameters<typeof verify>) =>
  (await verify(...args)).findings.map((f) => f.what);

const withText = (entry: BatchEntry | undefined, text: string): KeptRecord => ({
  ...(entry as KeptRecord),
  text,
});

describe('what was recorded and left alone is intact', () => {
  test('sealed, and waiting', async () => {
    expect(await verify(threeBatches(), { waiting: [record(6)] })).toEqual({
      intact: true,
      seals: 3,
      records: 5,
      waiting: 1,
      expiredThrough: 0,
      sealedAt: '2026-11-25T20:00:00.000Z',
      findings: [],
    });
  });

  test('nothing at all', async () => {
    expect(await verify([])).toMatchObject({ intact: true, seals: 0, records: 0 });
  });

  test('a file that is behind: the server ended between database and file', async () => {
    const chain = threeBatches();
    expect(await found(chain, { newest: chain[1]?.seal })).toEqual([]);
  });

  test('records of before there were seals, under the first one', async () => {
    const old = { ...record(1), mac: null };
    expect(await found(chainOf([[old], [record(2)]]))).toEqual([]);
    expect(await found(chainOf([[record(1)], [{ ...record(2), mac: null }]]))).toEqual(['inserted record']);
  });

  test('records whose time was over, with the record of it', async () => {
    const expiry = record(6, { eventName: 'ExpireAuditRecords', responseElements: { throughSeal: 2 } });
    const chain = chainOf([[record(1)], [record(2)], [record(3), expiry]]);
    for (const batch of chain.slice(0, 2)) batch.entries = undefined;
    expect(await verify(chain)).toMatchObject({ intact: true, expiredThrough: 2 });
    const waiting = chainOf([[record(1)], [record(2)], [record(3)]]);
    for (const batch of waiting.slice(0, 2)) batch.entries = undefined;
    expect(await found(waiting, { waiting: [expiry] })).toEqual([]);
    expect(await found(waiting)).toEqual(['missing batch', 'missing batch']);
  });
});

describe('what somebody did to the database is named', () => {
  test('a record was altered', async () => {
    const chain = threeBatches();
    const [first, second] = chain[1]?.entries ?? [];
    if (chain[1] && first) chain[1].entries = [first, withText(second, '{"eventName":"GetEnvironment"}')];
    const { findings } = await verify(chain);
    expect(findings).toEqual([
      {
        what: 'altered record',
        seal: 2,
        record: '3',
        text: 'record 3 (GetEnvironment, 2026-11-25T20:00:00.003Z) of seal 2 is not as it was written',
      },
    ]);
  });

  test('a record is gone', async () => {
    const chain = threeBatches();
    if (chain[0]) chain[0].entries = [record(1), { id: 2n, text: undefined }];
    expect((await verify(chain)).findings).toEqual([
      { what: 'missing record', seal: 1, record: '2', text: 'record 2 of seal 1 is gone' },
    ]);
  });

  test('a record was gone before it was sealed', async () => {
    const chain = chainOf([[record(1), { id: 2n, text: undefined }]]);
    expect((await verify(chain)).findings[0]?.text).toMatch(/taken away before it could be sealed/);
  });

  test('a record was put in, sealed or not', async () => {
    const foreign = { ...record(9), mac: Buffer.alloc(32) };
    expect(await found(chainOf([[record(1)], [foreign]]))).toEqual(['inserted record']);
    expect(await found(threeBatches(), { strays: [foreign] })).toEqual(['inserted record']);
    expect(await found(threeBatches(), { strays: [record(9)] })).toEqual(['unsealed record']);
  });

  test('a record was hidden from its batch', async () => {
    const chain = threeBatches();
    if (chain[0]) chain[0].entries = [record(1)];
    expect(await found(chain, { strays: [record(2)] })).toEqual(['altered batch', 'unsealed record']);
  });

  test('the end was cut off', async () => {
    const chain = threeBatches();
    const newest = chain[2]?.seal;
    expect((await verify(chain.slice(0, 2), { newest })).findings).toMatchObject([
      { what: 'cut off', seal: 3, text: expect.stringContaining('ends with seal 2') },
    ]);
    expect(await found(chain.slice(0, 2), { newest: undefined })).toEqual(['no newest seal']);
  });

  test('seals are missing, at the start and in between', async () => {
    const chain = chainOf([[record(1)], [record(2)], [record(3)], [record(4)]]);
    expect(await found(chain.slice(1))).toEqual(['missing seal']);
    const [first, , , last] = chain as [Batch, Batch, Batch, Batch];
    expect((await verify([first, last])).findings[0]?.text).toMatch(/^seals 2 to 3 are missing/);
  });

  test('a seal was altered, or made with another key', async () => {
    const chain = threeBatches();
    const [, second] = chain as [Batch, Batch, Batch];
    const altered = second.seal.body.replace('"records":2', '"records":3');
    expect(
      await found([
        ...chain.slice(0, 1),
        { ...second, seal: { ...second.seal, body: altered } },
        ...chain.slice(2),
      ]),
    ).toEqual(['altered seal']);
    const other = auditKeyFrom(Buffer.alloc(32, 8));
    const foreign = makeSeal({ batch: [record(9)], previous: second.seal, key: other, now });
    expect(await found([...chain.slice(0, 2), { number: 3, seal: foreign, entries: [record(9)] }])).toEqual([
      'other key',
    ]);
  });

  test('whatever byte of a record is changed, it is named', async () => {
    const chain = threeBatches();
    const flat = chain.flatMap(({ entries }, i) => (entries ?? []).map((entry, j) => ({ entry, i, j })));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...flat), fc.nat(200), async ({ entry, i, j }, at) => {
        const bytes = Buffer.from((entry as KeptRecord).text);
        const place = at % bytes.length;
        bytes[place] = (bytes[place] ?? 0) ^ 1;
        const changed = chain.map((batch, n) =>
          n === i
            ? {
                ...batch,
                entries: (batch.entries ?? []).map((e, m) =>
                  m === j ? withText(e, bytes.toString('latin1')) : e,
                ),
              }
            : batch,
        );
        expect(await found(changed)).toEqual(['altered record']);
      }),
    );
  });
});
