import { realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { OwnCommand } from '../gateway/deps.ts';

/** Whether a folder of PATH is one that npm adds for the time of a script: nobody has it in a terminal. */
const isOfNpm = (folder: string): boolean => /node_modules[/\\]\.bin[/\\]?$|[/\\]_npx[/\\]/.test(folder);

const isSame = (file: string, other: string): boolean => {
  try {
    return realpathSync(file) === realpathSync(other);
  } catch {
    return false;
  }
};

/** How this server's command is typed in a terminal: `windsock` where that is this installation, else by npx. */
export const ownCommand = (o: {
  /** The file of the command in this installation. */
  readonly file: string;
  /** The variable PATH. */
  readonly path: string | undefined;
  readonly data: string;
  /** The data folder that the command takes when none is named. */
  readonly usualData: string;
}): OwnCommand => {
  const folders = (o.path ?? '').split(delimiter).filter((folder) => folder !== '' && !isOfNpm(folder));
  const isGlobal = folders.some((folder) => isSame(join(folder, 'windsock'), o.file));
  return {
    program: isGlobal ? 'windsock' : 'npx windsock',
    data: o.data === o.usualData ? undefined : o.data,
  };
};
