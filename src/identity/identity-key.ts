import { WindsockError } from '../lib/errors.ts';
import { readOrMakeKeyFile } from '../lib/key-file.ts';
import { type SecretBox, secretBox } from '../lib/secret-box.ts';

/** What keeps secrets that the database holds, or that clients carry, from those who only have the database. */
export interface IdentityBoxes {
  /** Secrets of access keys. */
  readonly accessKeys: SecretBox;
  /** Session tokens of temporary credentials. */
  readonly sessionTokens: SecretBox;
  /** Tokens by which the processes of an environment are given the credentials of its execution role. */
  readonly environmentTokens: SecretBox;
}

/** The boxes of a key of 32 bytes. */
export const identityBoxes = (key: Uint8Array): IdentityBoxes => ({
  accessKeys: secretBox(key, 'access keys'),
  sessionTokens: secretBox(key, 'session tokens'),
  environmentTokens: secretBox(key, 'environment tokens'),
});

/**
 * Reads the key (mode 0600), or makes it once.
 * Throws IdentityKeyUnreadable when the file holds something else; it is never overwritten.
 */
export const loadOrCreateIdentityKey = (file: string): IdentityBoxes => {
  const key = readOrMakeKeyFile(file);
  if (!key)
    throw new WindsockError(
      'IdentityKeyUnreadable',
      `${file} does not hold a key of 32 bytes. Restore it from a backup; or delete it: then every access key of a ` +
        'user must be made anew, and temporary credentials stop working. The root access key is not concerned.',
    );
  return identityBoxes(key);
};
