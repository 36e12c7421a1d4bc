import { WindsockError } from './errors.ts';

/** The text cannot be split into words. */
export class BadWords extends WindsockError {
  constructor(publicText: string) {
    super('BadWords', publicText);
  }
}

/** White space outside of ASCII, as `/\s/` has it. */
const rareBlanks = new Set(
  Array.from({ length: 0xffff - 0x7f }, (_, i) => i + 0x80).filter((code) =>
    /\s/.test(String.fromCharCode(code)),
  ),
);

const isBlank = (code: number): boolean =>
  code === 32 || (code >= 9 && code <= 13) || (code > 127 && rareBlanks.has(code));

const [newline, doubleQuote, dollar, singleQuote, backslash, backtick] = [10, 34, 36, 39, 92, 96];
/** What a backslash escapes inside double quotes (POSIX XCU 2.2.3). */
const escapable = new Set([doubleQuote, dollar, backslash, backtick, newline]);

/** Goes over the text once: each character costs the same, whatever stands beside it. */
class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next word; undefined at the end. Throws BadWords. */
  next(): string | undefined {
    const text = this.#text;
    while (this.#at < text.length && isBlank(text.charCodeAt(this.#at))) this.#at += 1;
    if (this.#at >= text.length) return undefined;
    let word = '';
    while (this.#at < text.length && !isBlank(text.charCodeAt(this.#at))) word += this.#piece();
    return word;
  }

  #piece(): string {
    const code = this.#text.charCodeAt(this.#at);
    if (code === singleQuote) return this.#single();
    return code === doubleQuote ? this.#double() : this.#plain();
  }

  #plain(): string {
    let piece = '';
    let start = this.#at;
    let at = start;
    for (; at < this.#text.length; at += 1) {
      const code = this.#text.charCodeAt(at);
      if (code === singleQuote || code === doubleQuote || isBlank(code)) break;
      if (code !== backslash) continue;
      piece += this.#text.slice(start, at);
      at += 1;
      if (at === this.#text.length)
        throw new BadWords('The command ends in a backslash that escapes nothing.');
      start = this.#text.charCodeAt(at) === newline ? at + 1 : at;
    }
    this.#at = at;
    return piece + this.#text.slice(start, at);
  }

  #single(): string {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end === -1) throw new BadWords('The command has a single quote that is never closed.');
    const piece = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return piece;
  }

  #double(): string {
    let piece = '';
    let start = this.#at + 1;
    for (let at = start; at < this.#text.length; at += 1) {
      const code = this.#text.charCodeAt(at);
      if (code === doubleQuote) {
        this.#at = at + 1;
        return piece + this.#text.slice(start, at);
      }
      if (code !== backslash) continue;
      at += 1;
      const escaped = this.#text.charCodeAt(at);
      if (!escapable.has(escaped)) continue;
      piece += this.#text.slice(start, at - 1);
      start = escaped === newline ? at + 1 : at;
    }
    throw new BadWords('The command has a double quote that is never closed.');
  }
}

/**
 * Splits a command line into words with the quoting rules of a shell, and nothing else of a shell: no
 * expansion, no substitution, no operators; `;`, `|`, `$` and `*` are ordinary characters.
 * Throws BadWords for unbalanced quotes, a trailing backslash, a NUL or more than `maxWords` words.
 */
export const splitWords = (text: string, maxWords = 1000): string[] => {
  if (text.includes('\0')) throw new BadWords('The command holds a NUL character.');
  const words: string[] = [];
  const reader = new Reader(text);
  for (let word = reader.next(); word !== undefined; word = reader.next()) {
    if (words.push(word) > maxWords) throw new BadWords(`The command has more than ${maxWords} words.`);
  }
  return words;
};
