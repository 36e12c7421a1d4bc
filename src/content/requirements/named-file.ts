import { posix } from 'node:path';
import { addressOf, schemeOf } from './addresses.ts';
import { placeIn } from './places.ts';
import type { RequirementsContext } from './prepared.ts';
import { Unfit } from './refused.ts';
import { shownLine } from './shown.ts';

/** A requirement file that a line names with -r or -c, or the first one. */
export interface NamedFile {
  /** The same for the same file. */
  readonly key: string;
  /** As in messages. */
  readonly shown: string;
  /** What relative paths in it are relative to. */
  readonly folder: string;
  readonly isOfTheWeb: boolean;
  /** Undefined when there is no such file. */
  readonly read: () => Promise<Uint8Array | undefined>;
}

const ofTheWeb = (text: string, context: RequirementsContext): NamedFile => {
  const { url, href } = addressOf(text, context);
  const { fetch } = context;
  if (fetch === undefined)
    throw new Unfit(
      'Files of the web are not read',
      'Put the file into the DAG folder and name it by its full path',
    );
  return { key: href, shown: shownLine(href), folder: '/', isOfTheWeb: true, read: () => fetch(url) };
};

/** The file that a value of -r or -c names in that file. Throws Unfit for one that may not be read. */
export const namedFile = (value: string, namedBy: NamedFile, context: RequirementsContext): NamedFile => {
  if (schemeOf(value) !== undefined) return ofTheWeb(value, context);
  const { seen, real } = placeIn(context.folders, namedBy.folder, value);
  const read = (): Promise<Uint8Array | undefined> => context.readFile(real);
  return { key: seen, shown: seen, folder: posix.dirname(seen), isOfTheWeb: false, read };
};
