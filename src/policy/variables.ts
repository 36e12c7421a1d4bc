import { type Pattern, type Piece, patternOf } from './pattern.ts';
import type { Steps } from './steps.ts';

/** Condition keys in small letters, with their values. */
export type Context = ReadonlyMap<string, readonly string[]>;

interface Variable {
  /** As it is written. */
  readonly name: string;
  /** In small letters. */
  readonly key: string;
  readonly fallback: string | undefined;
}

/** A text of a policy: a pattern, or pieces of which some are known only with the request. */
export type Template =
  | { readonly kind: 'fixed'; readonly pattern: Pattern }
  | { readonly kind: 'open'; readonly pieces: readonly (Pattern | Variable)[] };

const specials: Readonly<Record<string, string>> = { '*': '*', '?': '?', $: '$' };

/** `aws:username` or `aws:PrincipalTag/team, 'none'` (IAM User Guide, "IAM policy elements: Variables and tags"). */
const variableOf = (inside: string): Variable | undefined => {
  const [, key, fallback] = /^\s*([^\s,'{}$]+)\s*(?:,\s*'([^']*)'\s*)?$/.exec(inside) ?? [];
  return key === undefined ? undefined : { name: key, key: key.toLowerCase(), fallback };
};

const pieceOf = (inside: string): Pattern | Variable | undefined => {
  const special = Object.hasOwn(specials, inside) ? specials[inside] : undefined;
  return special === undefined ? variableOf(inside) : [special];
};

/** Reads a text; undefined when a variable in it cannot be one. Without variables (Version 2008-10-17) all is literal. */
export const templateOf = (text: string, withVariables: boolean): Template | undefined => {
  if (!withVariables || !text.includes('${')) return { kind: 'fixed', pattern: patternOf(text) };
  const pieces: (Pattern | Variable)[] = [];
  let rest = text;
  for (;;) {
    const from = rest.indexOf('${');
    if (from < 0) break;
    const to = rest.indexOf('}', from);
    const piece = to < 0 ? undefined : pieceOf(rest.slice(from + 2, to));
    if (piece === undefined) return undefined;
    pieces.push(patternOf(rest.slice(0, from)), piece);
    rest = rest.slice(to + 1);
  }
  pieces.push(patternOf(rest));
  return pieces.every((piece) => isPattern(piece))
    ? { kind: 'fixed', pattern: pieces.flat() as Piece[] }
    : { kind: 'open', pieces };
};

const isPattern = (piece: Pattern | Variable): piece is Pattern => Array.isArray(piece);

/** The condition keys that stand in a text as variables, as they are written. */
export const variablesOf = (template: Template): readonly string[] =>
  template.kind === 'fixed' ? [] : template.pieces.flatMap((piece) => (isPattern(piece) ? [] : [piece.name]));

/** The one value of a key; a key with several values cannot stand in a text. */
const singleValue = ({ key, fallback }: Variable, context: Context): string | undefined => {
  const values = context.get(key);
  return values?.length === 1 ? values[0] : fallback;
};

/** The pattern for this request; what variables bring is literal. Undefined when one has no value. Throws TooComplex. */
export const fill = (template: Template, context: Context, steps: Steps): Pattern | undefined => {
  if (template.kind === 'fixed') return template.pattern;
  const pieces: Piece[] = [];
  for (const piece of template.pieces) {
    steps.take(8);
    if (isPattern(piece)) {
      steps.take(piece.length);
      for (const part of piece) pieces.push(part);
    } else {
      const value = singleValue(piece, context);
      if (value === undefined) return undefined;
      pieces.push(value);
    }
  }
  return pieces;
};

const plain = new WeakMap<Pattern, string>();

/** The pattern as the text that it was, for comparisons in which wildcards mean nothing. */
export const plainText = (pattern: Pattern): string => {
  const known = plain.get(pattern);
  if (known !== undefined) return known;
  const text = pattern.map((piece) => (typeof piece === 'string' ? piece : piece.wild)).join('');
  plain.set(pattern, text);
  return text;
};
