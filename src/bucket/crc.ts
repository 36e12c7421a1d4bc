import { crc32 } from 'node:zlib';
import { createCRC32, createCRC64, type IHasher } from 'hash-wasm';

/** The checksums of an object that can be made from those of its parts. */
export type CrcName = 'CRC32' | 'CRC32C' | 'CRC64NVME';

/** The polynomials as they are used here, bits reversed ("Catalogue of parametrised CRC algorithms", G. Cook). */
export const polynomials: Readonly<Record<CrcName, { readonly width: 32 | 64; readonly reversed: bigint }>> =
  {
    CRC32: { width: 32, reversed: 0xedb88320n },
    CRC32C: { width: 32, reversed: 0x82f63b78n },
    CRC64NVME: { width: 64, reversed: 0x9a6c9329ac4bc9b5n },
  };

/** A CRC that is being computed: big-endian bytes at the end. */
export interface Crc {
  update(bytes: Uint8Array): void;
  digest(): Buffer;
}

const engines: Readonly<Record<'CRC32C' | 'CRC64NVME', IHasher>> = {
  CRC32C: await createCRC32(Number(polynomials.CRC32C.reversed)),
  CRC64NVME: await createCRC64(polynomials.CRC64NVME.reversed.toString(16)),
};

/** All CRCs of one kind take turns in one WebAssembly instance, whose state is a few bytes: another would cost 128 KiB. */
const shared = (engine: IHasher): Crc => {
  let state = engine.init().save();
  return {
    update: (bytes) => {
      state = engine.load(state).update(bytes).save();
    },
    digest: () => Buffer.from(engine.load(state).digest('binary')),
  };
};

const native = (): Crc => {
  let value = 0;
  return {
    update: (bytes) => {
      value = crc32(bytes, value);
    },
    digest: () => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes;
    },
  };
};

/** Begins a CRC. */
export const createCrc = (name: CrcName): Crc => (name === 'CRC32' ? native() : shared(engines[name]));
