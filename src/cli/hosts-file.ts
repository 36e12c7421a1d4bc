import {
  closeSync,
  constants,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  realpathSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { codeOf, textOf } from '../lib/errors.ts';
import { CliError } from './errors.ts';

const failed = (file: string, error: unknown): CliError =>
  new CliError(`Cannot change ${file}.`, {
    why: textOf(error),
    todo: 'Nothing else was changed. See the line with: windsock trust --hosts --print',
    cause: error,
  });

/** One character a byte, so that every byte comes back as it was. Empty when there is no such file. */
export const readHosts = (file: string): string => {
  try {
    return readFileSync(file, 'latin1');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw new CliError(`Cannot read ${file}.`, { why: textOf(error), cause: error });
  }
};

/**
 * Writes from the first byte that differs, and cuts the file last: a line that is appended is there or not, and a
 * program that ends in between leaves lines twice, never fewer.
 */
const writeInPlace = (file: string, bytes: Buffer): void => {
  const old = readFileSync(file);
  let at = 0;
  while (at < bytes.length && old[at] === bytes[at]) at += 1;
  const fd = openSync(file, constants.O_WRONLY);
  try {
    while (at < bytes.length) at += writeSync(fd, bytes, at, bytes.length - at, at);
    fsyncSync(fd);
    ftruncateSync(fd, bytes.length);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
};

/** The file itself is a mount, as in containers, or its folder cannot be written to. */
const cannotBeReplaced = ['EBUSY', 'EXDEV', 'EROFS', 'EACCES', 'EPERM'];

/** Whole or not at all; the attributes of the old file go to the new one. */
const replace = (file: string, bytes: Buffer, { mode, uid, gid }: Stats): void =>
  writeFileAtomic(file, bytes, { mode: mode & 0o7777, owner: { uid, gid }, attributesOf: file });

const change = (file: string, bytes: Buffer): void => {
  const old = statSync(file, { throwIfNoEntry: false });
  if (old === undefined) {
    writeFileAtomic(file, bytes, { mode: 0o644 });
    return;
  }
  const real = realpathSync(file);
  try {
    // a rename would part it from its other names
    if (old.nlink > 1) writeInPlace(real, bytes);
    else replace(real, bytes, old);
  } catch (error) {
    if (!cannotBeReplaced.includes(codeOf(error) ?? '')) throw error;
    writeInPlace(real, bytes);
  }
};

/**
 * Replaces the text of a hosts file: whole or not at all where it can be renamed over, else in place. Links, mode,
 * owner and label stay. Throws CliError.
 */
export const writeHosts = (file: string, text: string): void => {
  try {
    change(file, Buffer.from(text, 'latin1'));
  } catch (error) {
    throw failed(file, error);
  }
};
