import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync } from 'node:fs';
import { writeFileAtomic } from './atomic-file.ts';
import { codeOf } from './errors.ts';

/** The 32 secret bytes of a file (base64url); undefined when it holds something else. Throws when it cannot be read. */
export const readKeyFile = (file: string): Buffer | undefined => {
  const kept = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64url');
  return kept.length === 32 ? kept : undefined;
};

/**
 * The 32 secret bytes of a file (base64url, mode 0600), made once when it is not there. Undefined when the file holds
 * something else: it is never overwritten.
 */
export const readOrMakeKeyFile = (file: string): Buffer | undefined => {
  try {
    chmodSync(file, 0o600);
    return readKeyFile(file);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    const made = randomBytes(32);
    writeFileAtomic(file, `${made.toString('base64url')}\n`, { mode: 0o600 });
    return made;
  }
};
