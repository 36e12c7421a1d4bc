import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { killAll } from './end-processes.ts';
import { codeOf } from './errors.ts';
import type { Description } from './process-selection.ts';
import { isAlive, processFacts } from './processes.ts';

const pattern = /\.(\d+)-(\d+)-\d+\.tmp$/;

let made = 0;

/** A name beside `target` that says which process makes it, so that another one knows when its maker has ended. */
export const temporaryName = (target: string): string => {
  made += 1;
  return `${target}.${process.pid}-${processFacts(process.pid)?.startTime ?? 0}-${made}.tmp`;
};

/** What makers that have ended left beside `target`. */
export const staleTemporaries = (target: string): readonly string[] => {
  const mine = readdirSync(dirname(target)).filter((name) => name.startsWith(`${basename(target)}.`));
  return mine
    .filter((name) => {
      const [, pid, startTime] = pattern.exec(name) ?? [];
      return pid !== undefined && !isAlive({ pid: Number(pid), startTime: Number(startTime) });
    })
    .map((name) => join(dirname(target), name));
};

/** A program that was started, as the leader of a session, to write into this folder. */
const writesTo = (folder: string): Description => ({ leadsSession: true, word: folder });

/** Removes what makers that have ended left beside `target`, and ends programs that still write there. */
export const removeStaleTemporaries = async (target: string): Promise<void> => {
  for (const stale of staleTemporaries(target)) {
    await killAll({ anyOf: [writesTo(stale)] });
    rmSync(stale, { recursive: true, force: true });
  }
};

const taken = new Set(['EEXIST', 'ENOTEMPTY']);

/**
 * Makes a folder, unless it is there, whole or not at all: `fill` makes and fills a temporary one, which is then renamed. When several
 * processes do so at once, one wins and all go on with what it made.
 */
export const makeFolderOnce = async (
  target: string,
  fill: (temporary: string) => Promise<void> | void,
): Promise<void> => {
  await removeStaleTemporaries(target);
  if (existsSync(target)) return;
  const temporary = temporaryName(target);
  rmSync(temporary, { recursive: true, force: true });
  try {
    await fill(temporary);
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (!taken.has(codeOf(error) ?? '')) throw error;
  }
};
