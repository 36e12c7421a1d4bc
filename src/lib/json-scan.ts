import { slices } from './turns.ts';

/** The text of a JSON value that is handed on as it came. */
export class RawJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Deeper than any document: what reads it next may recurse. */
const deepest = 1_000;
/** Tokens between two looks at the time. */
const tokensAtOnce = 5_000;

/** Of a member as it is written, escapes and all; no model has one as long. */
const longestName = 1_000;

const code = (character: string): number => character.charCodeAt(0);
const [quote, backslash, comma, colon] = [code('"'), code('\\'), code(','), code(':')];
const [openObject, closeObject, openArray, closeArray] = [code('{'), code('}'), code('['), code(']')];

const skipBlanks = (text: string, from: number): number => {
  let at = from;
  for (; at < text.length; at += 1) {
    const c = text.charCodeAt(at);
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) break;
  }
  return at;
};

const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null/y;

const matchEnd = (pattern: RegExp, text: string, at: number): number => {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : -1;
};

const isHex = (c: number): boolean => (c >= 48 && c <= 57) || (c >= 65 && c <= 70) || (c >= 97 && c <= 102);
const letterU = code('u');
const escapable = new Set(['"', '\\', '/', 'b', 'f', 'n', 'r', 't'].map(code));

/** The end of the escape that begins at this backslash; -1 when it is none. */
const escapeEnd = (text: string, at: number): number => {
  const c = text.charCodeAt(at + 1);
  if (c !== letterU) return escapable.has(c) ? at + 2 : -1;
  for (let i = at + 2; i < at + 6; i += 1) if (!isHex(text.charCodeAt(i))) return -1;
  return at + 6;
};

/** The end of the text that begins at this quotation mark; -1 when it is none. */
const textEnd = (text: string, from: number): number => {
  for (let at = from + 1; at < text.length; ) {
    const c = text.charCodeAt(at);
    if (c === quote) return at + 1;
    if (c < 0x20) return -1;
    at = c === backslash ? escapeEnd(text, at) : at + 1;
    if (at < 0) return -1;
  }
  return -1;
};

type Wanted = 'value' | 'value or end' | 'key' | 'key or end' | 'more';

/** Goes along a JSON text (RFC 8259) token by token. */
class Scan {
  /** The members of the outermost object that are asked for, by name. */
  readonly members = new Map<string, string>();
  readonly #text: string;
  readonly #names: ReadonlySet<string>;
  readonly #open: number[] = [];
  #at: number;
  #wanted: Wanted = 'value';
  #member: { readonly name: string; readonly from: number } | undefined;

  constructor(text: string, names: ReadonlySet<string>) {
    this.#text = text;
    this.#names = names;
    this.#at = skipBlanks(text, 0);
  }

  get isDone(): boolean {
    return this.#wanted === 'more' && this.#open.length === 0 && this.#at === this.#text.length;
  }

  /** False when the text is no JSON. */
  step(): boolean {
    const end = this.#token();
    if (end < 0) return false;
    if (this.#open.length === 1 && this.#wanted === 'more' && this.#member) {
      this.members.set(this.#member.name, this.#text.slice(this.#member.from, end));
      this.#member = undefined;
    }
    this.#at = skipBlanks(this.#text, end);
    if (this.#member?.from === -1) this.#member = { ...this.#member, from: this.#at };
    return true;
  }

  #token(): number {
    const c = this.#text.charCodeAt(this.#at);
    if (this.#wanted === 'more') return this.#more(c);
    if (this.#wanted === 'key' || this.#wanted === 'key or end') return this.#key(c);
    return this.#value(c);
  }

  #close(): number {
    this.#open.pop();
    this.#wanted = 'more';
    return this.#at + 1;
  }

  #more(c: number): number {
    const closer = this.#open.at(-1);
    if (closer === undefined) return -1;
    if (c === closer) return this.#close();
    if (c !== comma) return -1;
    this.#wanted = closer === closeObject ? 'key' : 'value';
    return this.#at + 1;
  }

  #key(c: number): number {
    if (c === closeObject && this.#wanted === 'key or end') return this.#close();
    const end = c === quote ? textEnd(this.#text, this.#at) : -1;
    const after = end < 0 ? -1 : skipBlanks(this.#text, end);
    if (after < 0 || this.#text.charCodeAt(after) !== colon) return -1;
    if (this.#open.length === 1) this.#begin(end);
    this.#wanted = 'value';
    return after + 1;
  }

  #begin(end: number): void {
    if (this.#names.size === 0 || end - this.#at > longestName) return;
    const name = JSON.parse(this.#text.slice(this.#at, end)) as string;
    if (this.#names.has(name)) this.#member = { name, from: -1 };
  }

  #value(c: number): number {
    if (c === closeArray && this.#wanted === 'value or end') return this.#close();
    if (c === openObject || c === openArray) {
      if (this.#open.push(c === openObject ? closeObject : closeArray) > deepest) return -1;
      this.#wanted = c === openObject ? 'key or end' : 'value or end';
      return this.#at + 1;
    }
    this.#wanted = 'more';
    return c === quote ? textEnd(this.#text, this.#at) : matchEnd(scalar, this.#text, this.#at);
  }
}

/**
 * Checks a JSON text of any size without holding the event loop, and gives the texts of those of its members that are
 * asked for where it is an object; undefined for what is no JSON, or nested more than 1,000 deep.
 */
export const scanJson = async (
  text: string,
  names: ReadonlySet<string> = new Set(),
): Promise<ReadonlyMap<string, string> | undefined> => {
  const [scan, pause] = [new Scan(text, names), slices()];
  for (let tokens = 1; !scan.isDone; tokens += 1) {
    if (!scan.step()) return undefined;
    if (tokens % tokensAtOnce === 0) await pause();
  }
  return scan.members;
};

/** How many values and names a JSON text has, about: JSON.parse takes some microseconds for each. */
export const jsonParts = (text: string): number => {
  let [parts, inText] = [0, false];
  for (let at = 0; at < text.length; at += 1) {
    const c = text.charCodeAt(at);
    if (c === quote) inText = !inText;
    else if (inText) at += c === backslash ? 1 : 0;
    else if (c === comma || c === colon || c === openObject || c === openArray) parts += 1;
  }
  return parts;
};

/** JSON of an object whose members may be raw. */
export const objectText = (members: Readonly<Record<string, unknown>>): string => {
  if (!Object.values(members).some((member) => member instanceof RawJson)) return JSON.stringify(members);
  const texts = Object.entries(members).map(
    ([name, member]) =>
      `${JSON.stringify(name)}:${member instanceof RawJson ? member.text : JSON.stringify(member)}`,
  );
  return `{${texts.join(',')}}`;
};
