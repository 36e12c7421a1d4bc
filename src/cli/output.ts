import { stripVTControlCharacters } from 'node:util';
import type { Context } from './context.ts';

/** What a server sent may hold control characters; a terminal must not obey them. */
export const plain = (text: string): string => stripVTControlCharacters(text).replace(/\p{Cc}/gu, ' ');

/** Columns for people, two blanks apart; no colour, so that it is the same in a pipe. */
export const tableText = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const all = [head, ...rows.map((row) => row.map(plain))];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all
    .map((row) =>
      widths
        .map((width, column) => (row[column] ?? '').padEnd(width))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
};

/** `name  value` lines; absent values are left out. */
export const factsText = (facts: Readonly<Record<string, string | undefined>>): string => {
  const present = Object.entries(facts).filter(([, value]) => value !== undefined);
  const width = Math.max(0, ...present.map(([name]) => name.length));
  return present.map(([name, value = '']) => `${name.padEnd(width)}  ${plain(value)}\n`).join('');
};

/** The interface for programs. */
export const printJson = (context: Context, value: unknown): void =>
  context.out(`${JSON.stringify(value, null, 2)}\n`);

/** Bytes for people. */
export const sizeText = (bytes: number): string => {
  const units = ['KiB', 'MiB', 'GiB'];
  const step = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length);
  if (step === 0) return bytes === 1 ? '1 byte' : `${bytes} bytes`;
  return `${(bytes / 1024 ** step).toFixed(1)} ${units[step - 1]}`;
};
