import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto';
import { WindsockError } from '../lib/errors.ts';
import { readOrMakeKeyFile } from '../lib/key-file.ts';

/** What vouches for the audit record. It is not in the database: who has only that can neither write nor alter records. */
export interface AuditKey {
  /** Names the key: the SHA-256 of its public part in base64url. */
  readonly id: string;
  /** Ed25519 signature of a seal. */
  sign(bytes: Buffer): Buffer;
  isSignature(bytes: Buffer, signature: Buffer): boolean;
  /** HMAC-SHA256 by which a record is known to be written by this installation. */
  mac(bytes: Buffer): Buffer;
  isMac(bytes: Buffer, mac: Buffer | null): boolean;
}

/** DER of an Ed25519 private key before its 32 bytes (RFC 8410, section 7). */
const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A key from 32 secret bytes. */
export const auditKeyFrom = (seed: Buffer): AuditKey => {
  const privateKey = createPrivateKey({
    key: Buffer.concat([pkcs8Head, seed]),
    format: 'der',
    type: 'pkcs8',
  });
  const publicKey = createPublicKey(privateKey);
  const macKey = Buffer.from(hkdfSync('sha256', seed, '', 'windsock audit records', 32));
  const mac = (bytes: Buffer) => createHmac('sha256', macKey).update(bytes).digest();
  return {
    id: createHash('sha256')
      .update(publicKey.export({ format: 'der', type: 'spki' }))
      .digest('base64url'),
    sign: (bytes) => sign(null, bytes, privateKey),
    isSignature: (bytes, signature) => verify(null, bytes, publicKey, signature),
    mac,
    isMac: (bytes, given) => {
      const right = mac(bytes);
      return given !== null && given.length === right.length && timingSafeEqual(given, right);
    },
  };
};

/**
 * Reads the key (mode 0600), or makes it once.
 * Throws AuditKeyUnreadable when the file holds something else; it is never overwritten.
 */
export const loadOrCreateAuditKey = (file: string): AuditKey => {
  const seed = readOrMakeKeyFile(file);
  if (seed) return auditKeyFrom(seed);
  throw new WindsockError(
    'AuditKeyUnreadable',
    `${file} does not hold a key of 32 bytes. Restore it from a backup; or delete it: then what was recorded before ` +
      'can no longer be checked with "windsock audit verify".',
  );
};
