import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { writeFileAtomic } from '../lib/atomic-file.ts';

const schema = z.object({
  /** Epoch milliseconds of the first of several empty listings. */
  emptySince: z.number().optional(),
  /** By path: the source's version, and the stamp of the file that was made of it. */
  files: z.record(z.string(), z.object({ version: z.string(), stamp: z.string() })),
});

type Published = z.infer<typeof schema>['files'][string];

export interface PublishState {
  readonly emptySince: number | undefined;
  readonly files: Map<string, Published>;
}

/** What was published before; unreadable or absent means nothing, which only costs a copy. */
export const readState = (file: string): PublishState => {
  try {
    const state = schema.parse(JSON.parse(readFileSync(file, 'utf8')));
    return { emptySince: state.emptySince, files: new Map(Object.entries(state.files)) };
  } catch {
    return { emptySince: undefined, files: new Map() };
  }
};

export const writeState = (file: string, state: PublishState): void => {
  const { emptySince } = state;
  const data = {
    ...(emptySince === undefined ? {} : { emptySince }),
    files: Object.fromEntries(state.files),
  };
  writeFileAtomic(file, JSON.stringify(data), { mode: 0o600 });
};
