/** A piece of a pattern: text that stands for itself, any one character, any number of characters. */
export type Piece = string | { readonly wild: '*' | '?' };

/** A text with wildcards, ready to be matched. */
export type Pattern = readonly Piece[];

/** `*` and `?` of a policy's text; what came from a variable is added as plain text elsewhere. */
export const patternOf = (text: string): Pattern =>
  text
    .split(/([*?])/)
    .filter((piece) => piece !== '')
    .map((piece) => (piece === '*' || piece === '?' ? { wild: piece } : piece));

/** The same with one character a piece. */
const flat = (pattern: Pattern): Pattern =>
  pattern.flatMap((piece): Pattern => (typeof piece === 'string' ? piece.split('') : [piece]));

/**
 * Matches the whole text. On a mismatch it goes back to the last `*` only, which is enough and never more than
 * pattern × text.
 */
const matchesFlat = (pattern: Pattern, text: string): boolean => {
  let [p, t, star, resume] = [0, 0, -1, 0];
  while (t < text.length) {
    const piece = pattern[p];
    if (typeof piece === 'object' && piece.wild === '*') {
      star = p;
      resume = t;
      p += 1;
    } else if (piece !== undefined && (typeof piece === 'object' || piece === text[t])) {
      p += 1;
      t += 1;
    } else if (star >= 0) {
      p = star + 1;
      resume += 1;
      t = resume;
    } else return false;
  }
  while (isStar(pattern[p])) p += 1;
  return p === pattern.length;
};

const isStar = (piece: Piece | undefined): boolean => typeof piece === 'object' && piece.wild === '*';

/** A test whether a text matches the pattern as a whole; the usual forms are compared without a walk. */
export const matcherOf = (pattern: Pattern): ((text: string) => boolean) => {
  if (pattern.every((piece) => typeof piece === 'string')) {
    const whole = pattern.join('');
    return (text) => text === whole;
  }
  const [first, second] = pattern;
  if (pattern.length === 1 && isStar(first)) return () => true;
  if (pattern.length === 2 && typeof first === 'string' && isStar(second))
    return (text) => text.startsWith(first);
  const pieces = flat(pattern);
  return (text) => matchesFlat(pieces, text);
};

/** Whether the text matches as a whole. */
export const matches = (pattern: Pattern, text: string): boolean => matcherOf(pattern)(text);
