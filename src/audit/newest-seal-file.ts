import { readFile } from 'node:fs/promises';
import { writeFileAtomicAsync } from '../lib/atomic-file.ts';
import { codeOf } from '../lib/errors.ts';
import type { NewestSealFile } from './ports.ts';

/** A file that a power cut emptied reads as none: the next seal writes it anew. */
export const newestSealFile = (file: string): NewestSealFile => ({
  read: async () => {
    try {
      const kept = JSON.parse(await readFile(file, 'utf8')) as { body: string; signature: string };
      return { body: kept.body, signature: Buffer.from(kept.signature, 'base64url') };
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
      throw error;
    }
  },
  write: ({ body, signature }) => {
    const text = JSON.stringify({ body, signature: signature.toString('base64url') });
    return writeFileAtomicAsync(file, `${text}\n`, { mode: 0o600 });
  },
});
