// The first vectors are those of FIPS 180-2 (appendix B.1) and RFC 4231 (4.2 and 4.3).
import { expect, test } from 'vitest';
import { Sha256 } from './sha256.ts';

const hex = async (
  secret: ConstructorParameters<typeof Sha256>[0],
  ...parts: readonly Parameters<Sha256['update']>[0][]
) => {
  const hash = new Sha256(secret);
  for (const part of parts) hash.update(part);
  return Buffer.from(await hash.digest()).toString('hex');
};

test('hashes text and bytes, in parts or at once', async () => {
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  expect(await hex(undefined, 'abc')).toBe(abc);
  const bytes = new TextEncoder().encode('xabcx');
  expect(await hex(undefined, bytes.subarray(1, 3), new DataView(bytes.buffer, 3, 1))).toBe(abc);
  expect(await hex(undefined, bytes.buffer.slice(1, 4))).toBe(abc);
  expect(await hex(undefined, 'ü')).toBe(await hex(undefined, new TextEncoder().encode('ü')));
});

test('with a secret it is HMAC', async () => {
  const keyed = 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7';
  expect(await hex(new Uint8Array(20).fill(11), 'Hi There')).toBe(keyed);
  const jefe = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843';
  expect(await hex('Jefe', 'what do ya want ', 'for nothing?')).toBe(jefe);
  expect(await hex('', 'abc')).not.toBe(await hex(undefined, 'abc'));
});
