import { setImmediate } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { silentLog } from '../lib/log.ts';
import type { Transaction } from '../lib/transaction.ts';
import { auditKeyFrom } from './audit-key.ts';
import type { SealStore } from './ports.ts';
import { type BatchEntry, bodyOf, recordBytes, type Seal } from './seal.ts';
import { createSealer } from './sealer.ts';

const key = auditKeyFrom(Buffer.alloc(32, 3));
const record = (id: number): BatchEntry => {
  const kept = { eventId: `e-${id}`, eventTime: id, text: '{}' };
  return { id: BigInt(id), ...kept, mac: key.mac(recordBytes(kept)) };
};

const open = () => {
  const world = {
    waiting: [] as BatchEntry[],
    seals: [] as Seal[],
    file: undefined as Seal | undefined,
    fault: undefined as Error | undefined,
    time: 0,
    step: async (_step: 'transaction' | 'file'): Promise<void> => {},
  };
  const store: SealStore = {
    inTransaction: async (work) => {
      if (world.fault) throw world.fault;
      const made = await work({} as Transaction);
      await world.step('transaction');
      return made;
    },
    newest: async () => world.seals.at(-1),
    takeUnsealed: async (_tx, most) => world.waiting.splice(0, most),
    insert: async (_tx, seal) => void world.seals.push(seal),
    oldestKept: async () => world.seals,
    dropRecords: async () => 0,
  };
  const file = {
    read: async () => world.file,
    write: async (seal: Seal) => {
      await world.step('file');
      world.file = seal;
    },
  };
  const clock = { now: () => world.time, monotonic: () => world.time, bootId: '' };
  return { world, sealer: createSealer({ store, file, key, clock, log: silentLog, days: 1 }) };
};

test('makes no seal without records, and one after the other with them', async () => {
  const { world, sealer } = open();
  await sealer.sealAll();
  expect(world.seals).toEqual([]);
  for (const id of [1, 2]) {
    world.waiting.push(record(id));
    await sealer.sealAll();
  }
  expect(world.seals.map((seal) => bodyOf(seal).number)).toEqual([1, 2]);
  expect(world.file).toBe(world.seals[1]);
});

test('many records are sealed in batches', async () => {
  const { world, sealer } = open();
  world.waiting.push(record(0));
  await sealer.sealAll();
  world.waiting.push(...Array.from({ length: 12_000 }, (_, i) => record(i + 1)));
  await sealer.sealAll();
  expect(world.seals.map((seal) => bodyOf(seal).records)).toEqual([1, 5_000, 5_000, 2_000]);
});

test('goes on from the seal of the file when the database has lost it', async () => {
  const { world, sealer } = open();
  for (const id of [1, 2, 3]) {
    world.waiting.push(record(id));
    await sealer.sealAll();
  }
  world.seals.splice(1);
  world.waiting.push(record(4));
  await sealer.sealAll();
  expect(world.seals.map((seal) => bodyOf(seal).number)).toEqual([1, 4]);
});

test('a file that somebody else signed is not believed', async () => {
  const { world, sealer } = open();
  world.waiting.push(record(1));
  await sealer.sealAll();
  const body = JSON.stringify({ ...bodyOf(world.file as Seal), number: 900 });
  world.file = { body, signature: Buffer.alloc(64) };
  world.waiting.push(record(2));
  await sealer.sealAll();
  expect(world.seals.map((seal) => bodyOf(seal).number)).toEqual([1, 2]);
});

test('the file is written after the transaction, and one write at a time', async () => {
  const { world, sealer } = open();
  for (const id of [1, 2]) world.waiting.push(record(id));
  const steps: string[] = [];
  world.step = async (step) => {
    steps.push(`${step} begins`);
    await setImmediate();
    steps.push(`${step} ends`);
  };
  await Promise.all([sealer.sealAll(), sealer.sealAll()]);
  world.waiting.push(record(3));
  await Promise.all([sealer.sealAll(), sealer.sealAll()]);
  const once = ['transaction begins', 'transaction ends', 'file begins', 'file ends'];
  const nothing = once.slice(0, 2);
  expect(steps).toEqual([...once, ...nothing, ...once, ...nothing]);
  expect(bodyOf(world.file as Seal).number).toBe(2);
});

test('is in trouble once seals fail for a minute, and out of it with the next one', async () => {
  const { world, sealer } = open();
  world.waiting.push(record(1));
  world.fault = new Error('no byte is free');
  await expect(sealer.sealAll()).rejects.toThrow('no byte is free');
  world.time = 59_000;
  expect(sealer.trouble()).toBeUndefined();
  world.time = 61_000;
  expect(sealer.trouble()).toMatch(/nothing more is allowed: no byte is free/);
  world.fault = undefined;
  await sealer.sealAll();
  expect(sealer.trouble()).toBeUndefined();
});

test('seals what is left when it stops', async () => {
  vi.useFakeTimers();
  try {
    const { world, sealer } = open();
    const stop = sealer.start({ write: async () => {} });
    world.waiting.push(record(1));
    await stop();
    expect(world.seals.length).toBe(1);
    world.waiting.push(record(2));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(world.seals.length).toBe(1);
  } finally {
    vi.useRealTimers();
  }
});
