import { find, type Segment, standsAt } from './segment.ts';
import { type Steps, unlimited } from './steps.ts';

/** A piece of a pattern: text that stands for itself, any one character, any number of characters. */
export type Piece = string | { readonly wild: '*' | '?' };

/** A text with wildcards, ready to be matched. */
export type Pattern = readonly Piece[];

/** Whether a text matches a pattern as a whole; counts the work. Throws TooComplex. */
export type Matcher = (text: string, steps: Steps) => boolean;

/** `*` and `?` of a policy's text; what came from a variable is added as plain text elsewhere. */
export const patternOf = (text: string): Pattern =>
  text
    .split(/([*?])/)
    .filter((piece) => piece !== '')
    .map((piece) => (piece === '*' || piece === '?' ? { wild: piece } : piece));

const isStar = (piece: Piece): boolean => typeof piece === 'object' && piece.wild === '*';

const segmentOf = (pieces: readonly Piece[]): Segment => {
  const text = pieces.map((piece) => (typeof piece === 'string' ? piece : '?')).join('');
  if (pieces.every((piece) => typeof piece === 'string')) return { text, wild: undefined };
  const wild = new Uint8Array(text.length);
  let at = 0;
  for (const piece of pieces) {
    if (typeof piece === 'object') wild[at] = 1;
    at += typeof piece === 'string' ? piece.length : 1;
  }
  return { text, wild };
};

/** What stands before, between and after the `*`: one segment more than there are `*`. */
const segmentsOf = (pattern: Pattern): readonly Segment[] => {
  const parts: Piece[][] = [[]];
  for (const piece of pattern) {
    if (isStar(piece)) parts.push([]);
    else parts.at(-1)?.push(piece);
  }
  return parts.map(segmentOf);
};

const nothing: Segment = { text: '', wild: undefined };

/**
 * A test whether a text matches the pattern as a whole. The first and the last segment have their places; each other
 * one is taken where it comes first, which leaves the most for those after it.
 */
export const matcherOf = (pattern: Pattern): Matcher => {
  const segments = segmentsOf(pattern);
  const [first = nothing] = segments;
  if (segments.length === 1)
    return (text, steps) => text.length === first.text.length && standsAt(first, text, 0, steps);
  const last = segments.at(-1) ?? nothing;
  const between = segments.slice(1, -1).filter(({ text }) => text !== '');
  return (text, steps) => {
    const end = text.length - last.text.length;
    if (end < first.text.length || !standsAt(first, text, 0, steps) || !standsAt(last, text, end, steps))
      return false;
    let from = first.text.length;
    for (const segment of between) {
      const at = find(segment, text, from, end, steps);
      if (at < 0) return false;
      from = at + segment.text.length;
    }
    return true;
  };
};

const matchers = new WeakMap<Pattern, Matcher>();

/** Whether the text matches as a whole; a pattern that is kept is made ready once. Throws TooComplex. */
export const matches = (pattern: Pattern, text: string, steps: Steps = unlimited): boolean => {
  const known = matchers.get(pattern);
  if (known) return known(text, steps);
  steps.take(lengthOf(pattern));
  const matcher = matcherOf(pattern);
  matchers.set(pattern, matcher);
  return matcher(text, steps);
};

const lengthOf = (pattern: Pattern): number =>
  pattern.reduce((sum, piece) => sum + (typeof piece === 'string' ? 1 + piece.length : 1), 0);
