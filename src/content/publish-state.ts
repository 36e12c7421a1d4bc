import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { writeFileAtomic } from '../lib/atomic-file.ts';

const schema = z.object({
  /** Epoch milliseconds at which the tree became what it is. */
  since: z.number(),
  /**
   * By path: the source's version, the stamp of the file that was made of it, the SHA-256 of its bytes, and when it
   * came here in epoch milliseconds.
   */
  files: z.array(
    z.tuple([
      z.string(),
      z.object({ version: z.string(), stamp: z.string(), sha256: z.string(), at: z.number() }),
    ]),
  ),
});

export type PublishedFile = z.infer<typeof schema>['files'][number][1];

export interface PublishState {
  readonly since: number;
  readonly files: Map<string, PublishedFile>;
}

/** What was published before; unreadable or absent means nothing, which only costs a copy. */
export const readState = (file: string): PublishState => {
  try {
    const state = schema.parse(JSON.parse(readFileSync(file, 'utf8')));
    return { since: state.since, files: new Map(state.files) };
  } catch {
    return { since: 0, files: new Map() };
  }
};

export const writeState = (file: string, state: PublishState): void => {
  // pairs: a file may be called __proto__
  const data = { since: state.since, files: [...state.files] };
  writeFileAtomic(file, JSON.stringify(data), { mode: 0o600 });
};

/** Names a tree by its paths and bytes: equal trees have equal versions, whenever they were published. */
export const treeVersion = ({ files }: Pick<PublishState, 'files'>): string => {
  const hash = createHash('sha256');
  for (const path of [...files.keys()].sort()) hash.update(`${path}\0${files.get(path)?.sha256}\n`);
  return hash.digest('hex').slice(0, 16);
};
