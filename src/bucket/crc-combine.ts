import { setImmediate } from 'node:timers/promises';
import { type CrcName, polynomials } from './crc.ts';

/** A polynomial over GF(2), the lowest power in the highest bit. 32 bits are in `low`, the rest in `high`. */
interface Word {
  readonly high: number;
  readonly low: number;
}

interface Field {
  readonly width: 32 | 64;
  readonly modulus: Word;
  /** x to the power of 2^n, at n. */
  readonly powers: readonly Word[];
}

const wordOf = (value: bigint): Word => ({
  high: Number(value >> 32n),
  low: Number(value & 0xffff_ffffn),
});

/** The product modulo the polynomial. Numbers, for BigInt takes 30 times as long. */
const multiply = ({ width, modulus }: Omit<Field, 'powers'>, a: Word, b: Word): Word => {
  let high = 0;
  let low = 0;
  let bHigh = b.high;
  let bLow = b.low;
  for (let bit = width - 1; bit >= 0; bit -= 1) {
    const isSet = bit < 32 ? (a.low >>> bit) & 1 : (a.high >>> (bit - 32)) & 1;
    if (isSet) {
      high ^= bHigh;
      low ^= bLow;
    }
    const carry = bLow & 1;
    bLow = (bLow >>> 1) | ((bHigh & 1) << 31);
    bHigh >>>= 1;
    if (carry) {
      bHigh ^= modulus.high;
      bLow ^= modulus.low;
    }
  }
  return { high: high >>> 0, low: low >>> 0 };
};

/** Enough for 2^53 bytes, of 8 bits each. */
const powersNeeded = 56;

const fieldOf = (name: CrcName): Field => {
  const { width, reversed } = polynomials[name];
  const field = { width, modulus: wordOf(reversed) };
  const powers = [wordOf(1n << BigInt(width - 2))];
  for (let last = powers[0]; last && powers.length < powersNeeded; powers.push(last))
    last = multiply(field, last, last);
  return { ...field, powers };
};

const fields: Readonly<Record<CrcName, Field>> = {
  CRC32: fieldOf('CRC32'),
  CRC32C: fieldOf('CRC32C'),
  CRC64NVME: fieldOf('CRC64NVME'),
};

/** x to the power of the bits in so many bytes. */
const shiftOf = (field: Field, bytes: number): Word => {
  let shift = wordOf(1n << BigInt(field.width - 1));
  for (let rest = bytes, n = 3; rest > 0; rest = Math.floor(rest / 2), n += 1) {
    const power = field.powers[n];
    if (rest % 2 === 1 && power) shift = multiply(field, shift, power);
  }
  return shift;
};

const read = (bytes: Buffer): Word =>
  bytes.length === 8
    ? { high: bytes.readUInt32BE(0), low: bytes.readUInt32BE(4) }
    : { high: 0, low: bytes.readUInt32BE(0) };

const write = ({ high, low }: Word, width: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(high, 0);
  bytes.writeUInt32BE(low, 4);
  return bytes.subarray(8 - width / 8);
};

/** The CRC of some bytes, and how many they are. */
export interface CrcOfPart {
  readonly crc: Buffer;
  readonly size: number;
}

/** Parts of which each has a size of its own take some 10 µs each: others get their turn after a few milliseconds. */
const partsAtOnce = 256;

/** The CRC of all parts one behind the other; of no part, that of no bytes (`crc32_combine` of zlib, for any width). */
export const combineCrcs = async (name: CrcName, parts: readonly CrcOfPart[]): Promise<Buffer> => {
  const field = fields[name];
  let whole: Word = { high: 0, low: 0 };
  let last = { size: 0, shift: shiftOf(field, 0) };
  for (const [index, { crc, size }] of parts.entries()) {
    if (index % partsAtOnce === partsAtOnce - 1) await setImmediate();
    if (size !== last.size) last = { size, shift: shiftOf(field, size) };
    const next = read(crc);
    const moved = multiply(field, last.shift, whole);
    whole = { high: (moved.high ^ next.high) >>> 0, low: (moved.low ^ next.low) >>> 0 };
  }
  return write(whole, field.width);
};
