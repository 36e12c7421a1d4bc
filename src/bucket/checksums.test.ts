import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  canBe,
  checksumNames,
  compositeChecksum,
  createHasher,
  fullObjectChecksum,
  isChecksum,
} from './checksums.ts';

const crcs = ['CRC32', 'CRC32C', 'CRC64NVME'] as const;
type Name = Parameters<typeof createHasher>[0];

const hash = (name: Name, ...pieces: readonly Uint8Array[]): string => {
  const hasher = createHasher(name);
  for (const piece of pieces) hasher.update(piece);
  return hasher.digest();
};

const hex = (base64: string): string => Buffer.from(base64, 'base64').toString('hex');

/** Bit by bit, as the definition has it: slow, and nothing to do with the code that is tried. */
const crcByDefinition = (reversed: bigint, width: bigint, bytes: Uint8Array): bigint => {
  const ones = (1n << width) - 1n;
  let crc = ones;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let i = 0; i < 8; i += 1) crc = crc & 1n ? (crc >> 1n) ^ reversed : crc >> 1n;
  }
  return crc ^ ones;
};

const definitions = {
  CRC32: [0xedb88320n, 32n],
  CRC32C: [0x82f63b78n, 32n],
  CRC64NVME: [0x9a6c9329ac4bc9b5n, 64n],
} as const;

const pieces = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 });

describe('checksums', () => {
  // check values of the catalogue of parametrised CRC algorithms, of RFC 3720 B.4, of FIPS 180 and of RFC 1321
  test.each<[Name, string, string]>([
    ['CRC32', '123456789', 'cbf43926'],
    ['CRC32C', '123456789', 'e3069283'],
    ['CRC32C', '\0'.repeat(32), '8a9136aa'],
    ['CRC64NVME', '123456789', 'ae8b14860a799888'],
    ['SHA1', 'abc', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
    ['SHA256', 'abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    ['MD5', 'abc', '900150983cd24fb0d6963f7d28e17f72'],
    ['CRC32', '', '00000000'],
    ['CRC32C', '', '00000000'],
    ['CRC64NVME', '', '0000000000000000'],
  ])('%s of %j', (name, text, expected) => {
    expect(hex(hash(name, Buffer.from(text)))).toBe(expected);
  });

  test.each(crcs)('%s is that of the definition, however the bytes are cut', (name) => {
    const [polynomial, width] = definitions[name];
    const property = fc.property(pieces, (cut) => {
      const expected = crcByDefinition(polynomial, width, Buffer.concat(cut));
      expect(BigInt(`0x${hex(hash(name, ...cut))}`)).toBe(expected);
    });
    fc.assert(property, { seed: 1, numRuns: 100 });
  });

  test.each(crcs)('%s of several bodies at the same time do not mix', (name) => {
    const [a, b] = [createHasher(name), createHasher(name)];
    a.update(Buffer.from('1234'));
    b.update(Buffer.from('other'));
    a.update(Buffer.from('56789'));
    expect(b.digest()).toBe(hash(name, Buffer.from('other')));
    expect(a.digest()).toBe(hash(name, Buffer.from('123456789')));
  });

  test('are told from other text', () => {
    expect(isChecksum('CRC32', 'y/Q5Jg==')).toBe(true);
    for (const text of ['', 'y/Q5Jg', 'y/Q5Jh==', ' y/Q5Jg==', 'y_Q5Jg==', 'AAAAAAAAAAA=', 'y/Q5Jg==-2'])
      expect(isChecksum('CRC32', text), text).toBe(false);
    for (const name of checksumNames) expect(isChecksum(name, hash(name)), name).toBe(true);
  });
});

describe('checksums of an object of parts', () => {
  test.each(crcs)('%s of the whole comes from those of the parts', async (name) => {
    const property = fc.asyncProperty(pieces, async (cut) => {
      const parts = cut.map((part) => ({ value: hash(name, part), size: part.length }));
      expect(await fullObjectChecksum(name, parts)).toBe(hash(name, ...cut));
    });
    await fc.assert(property, { seed: 2, numRuns: 200 });
  });

  test.each(crcs)('%s of the whole depends on order and sizes', async (name) => {
    const [a, b] = ['one part', 'and another'].map((text) => ({
      value: hash(name, Buffer.from(text)),
      size: text.length,
    }));
    if (!a || !b) throw new Error('two parts');
    const whole = await fullObjectChecksum(name, [a, b]);
    expect(await fullObjectChecksum(name, [b, a])).not.toBe(whole);
    expect(await fullObjectChecksum(name, [a, { ...b, size: b.size + 1 }])).not.toBe(whole);
  });

  test('of very many parts, while others get their turn', async () => {
    let turns = 0;
    const turn = setInterval(() => {
      turns += 1;
    }, 0);
    const all = Buffer.from('0123456789'.repeat(100));
    const parts = [...all].map((byte) => ({ value: hash('CRC32C', Uint8Array.of(byte)), size: 1 }));
    expect(await fullObjectChecksum('CRC32C', parts)).toBe(hash('CRC32C', all));
    clearInterval(turn);
    expect(turns).toBeGreaterThan(0);
  });

  test('of sizes beyond 32 bits: a part behind another shifts as two halves of it do', async () => {
    const first = { value: hash('CRC64NVME', Buffer.from('x')), size: 1 };
    const zeros = (size: number) => ({ value: 'AAAAAAAAAAA=', size });
    const half = 3 * 2 ** 31 + 7;
    const atOnce = await fullObjectChecksum('CRC64NVME', [first, zeros(2 * half)]);
    expect(await fullObjectChecksum('CRC64NVME', [first, zeros(half), zeros(half)])).toBe(atOnce);
    expect(await fullObjectChecksum('CRC64NVME', [first, zeros(2 * half - 2 ** 32)])).not.toBe(atOnce);
  });

  test('SHA has none of the whole', async () => {
    expect(await fullObjectChecksum('SHA256', [])).toBeUndefined();
    expect([canBe('SHA1', 'FULL_OBJECT'), canBe('CRC64NVME', 'FULL_OBJECT')]).toEqual([false, true]);
    expect([canBe('SHA1', 'COMPOSITE'), canBe('CRC64NVME', 'COMPOSITE')]).toEqual([true, false]);
  });

  test('the composite one is over the bytes of those of the parts', () => {
    const parts = ['one', 'two', 'three'].map((text) => createHash('sha256').update(text).digest());
    const expected = createHash('sha256').update(Buffer.concat(parts)).digest('base64');
    const given = parts.map((part) => part.toString('base64'));
    expect(compositeChecksum('SHA256', given)).toBe(`${expected}-3`);
  });
});
