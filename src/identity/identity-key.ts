import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync } from 'node:fs';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { codeOf, WindsockError } from '../lib/errors.ts';
import { type SecretBox, secretBox } from '../lib/secret-box.ts';

/** What keeps secrets that the database holds, or that clients carry, from those who only have the database. */
export interface IdentityBoxes {
  /** Secrets of access keys. */
  readonly accessKeys: SecretBox;
  /** Session tokens of temporary credentials. */
  readonly sessionTokens: SecretBox;
}

const readOrMake = (file: string): Uint8Array => {
  try {
    chmodSync(file, 0o600);
    return Buffer.from(readFileSync(file, 'utf8').trim(), 'base64url');
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    const made = randomBytes(32);
    writeFileAtomic(file, `${made.toString('base64url')}\n`, { mode: 0o600 });
    return made;
  }
};

/**
 * Reads the key (mode 0600), or makes it once.
 * Throws IdentityKeyUnreadable when the file holds something else; it is never overwritten.
 */
export const loadOrCreateIdentityKey = (file: string): IdentityBoxes => {
  const key = readOrMake(file);
  if (key.length !== 32)
    throw new WindsockError(
      'IdentityKeyUnreadable',
      `${file} does not hold a key of 32 bytes. Restore it from a backup; or delete it: then every access key of a ` +
        'user must be made anew, and temporary credentials stop working. The root access key is not concerned.',
    );
  return { accessKeys: secretBox(key, 'access keys'), sessionTokens: secretBox(key, 'session tokens') };
};
