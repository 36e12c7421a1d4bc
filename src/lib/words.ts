import { WindsockError } from './errors.ts';

/** The text cannot be split into words. */
export class BadWords extends WindsockError {
  constructor(publicText: string) {
    super('BadWords', publicText);
  }
}

// One piece of a word: single quotes, double quotes, an escaped character, or plain text.
const piece = /'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|([^\s'"\\]+)/y;
const blank = /\s*/y;

/** Inside double quotes a backslash escapes only what POSIX shells say (XCU 2.2.3). */
const unescaped = (text: string): string =>
  text.replace(/\\([\s\S])/g, (all, c: string) => (c === '\n' ? '' : '"\\$`'.includes(c) ? c : all));

const pieceText = ([, single, double, escaped, plain]: RegExpExecArray): string => {
  if (double !== undefined) return unescaped(double);
  if (escaped !== undefined) return escaped === '\n' ? '' : escaped;
  return single ?? plain ?? '';
};

const complain = (rest: string): BadWords => {
  if (rest.startsWith('\\')) return new BadWords('The command ends in a backslash that escapes nothing.');
  return new BadWords(
    `The command has a ${rest.startsWith("'") ? 'single' : 'double'} quote that is never closed.`,
  );
};

/**
 * Splits a command line into words with the quoting rules of a shell, and nothing else of a shell: no
 * expansion, no substitution, no operators; `;`, `|`, `$` and `*` are ordinary characters.
 * Throws BadWords for unbalanced quotes, a trailing backslash, a NUL or more than `maxWords` words.
 */
export const splitWords = (text: string, maxWords = 1000): string[] => {
  if (text.includes('\0')) throw new BadWords('The command holds a NUL character.');
  const words: string[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) at = pattern.lastIndex;
    return match;
  };
  for (take(blank); at < text.length; take(blank)) {
    let word = '';
    for (let match = take(piece); match; match = take(piece)) word += pieceText(match);
    if (at < text.length && !/\s/.test(text.charAt(at))) throw complain(text.slice(at));
    if (words.push(word) > maxWords) throw new BadWords(`The command has more than ${maxWords} words.`);
  }
  return words;
};
