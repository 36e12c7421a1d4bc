import { limits } from './decode.ts';

/** A line with those that continue it, without its comment. */
export interface LogicalLine {
  /** Of the first one, counted from 1. */
  readonly line: number;
  readonly text: string;
}

export interface FileLines {
  readonly lines: readonly LogicalLine[];
  /** How many lines the file has; of more than are taken only that it is too many. */
  readonly count: number;
  /** Lines whose comment names a constraints file. */
  readonly commentedConstraints: readonly number[];
  /** The first line that is longer than `limits.lineLength`; nothing behind it is given. */
  readonly tooLong: number | undefined;
}

const isBlank = (character: string): boolean => /\s/.test(character);

/** Where the comment begins: at a # that is the first character or behind white space, as pip has it. */
const commentAt = (text: string): number => {
  for (let at = text.indexOf('#'); at !== -1; at = text.indexOf('#', at + 1))
    if (at === 0 || isBlank(text.charAt(at - 1))) return at;
  return -1;
};

const constraintOption = /(?:^|[\s#])(?:-c|--constraint)[\s=]/;

const withoutEndingBackslashes = (text: string): string => {
  let end = text.length;
  while (text.charAt(end - 1) === '\\') end -= 1;
  return text.slice(0, end);
};

/** Joins what a backslash at the end of a line continues. A line that is only a comment ends what was continued. */
class Joiner {
  readonly lines: LogicalLine[] = [];
  readonly commentedConstraints: number[] = [];
  tooLong: number | undefined;
  #parts: string[] = [];
  #first: number | undefined;
  #length = 0;

  add(raw: string, line: number): void {
    this.#first ??= line;
    const isComment = raw.trimStart().startsWith('#');
    const isContinued = raw.endsWith('\\') && !isComment;
    const part = isContinued ? withoutEndingBackslashes(raw) : isComment ? ` ${raw}` : raw;
    this.#parts.push(part);
    this.#length += part.length;
    if (this.#length > limits.lineLength) this.tooLong ??= this.#first;
    if (!isContinued && this.tooLong === undefined) this.end();
  }

  end(): void {
    if (this.#first === undefined) return;
    const joined = this.#parts.join('');
    const at = commentAt(joined);
    const text = (at === -1 ? joined : joined.slice(0, at)).trim();
    if (text !== '') this.lines.push({ line: this.#first, text });
    if (at !== -1 && constraintOption.test(joined.slice(at))) this.commentedConstraints.push(this.#first);
    [this.#parts, this.#first, this.#length] = [[], undefined, 0];
  }
}

/** The lines of a requirement file, split, joined and rid of comments in the order in which pip does it. */
export const logicalLines = (text: string): FileLines => {
  const raw = text.split(/\r\n|\n|\r/, limits.lines + 2);
  if (raw.at(-1) === '') raw.pop();
  const joiner = new Joiner();
  for (const [i, line] of raw.slice(0, limits.lines + 1).entries()) {
    joiner.add(line, i + 1);
    if (joiner.tooLong !== undefined) break;
  }
  if (joiner.tooLong === undefined) joiner.end();
  const { lines, commentedConstraints, tooLong } = joiner;
  return { lines, count: raw.length, commentedConstraints, tooLong };
};
