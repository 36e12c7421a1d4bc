import { type Matcher, matcherOf, matches, type Pattern } from './pattern.ts';
import type { Steps } from './steps.ts';
import { type Context, fill, type Template, templateOf } from './variables.ts';

/** A Resource of a statement: every resource, or an ARN whose first five segments are known and whose last may not be. */
export type ResourcePattern =
  | { readonly kind: 'all' }
  | {
      readonly kind: 'arn';
      readonly head: readonly Matcher[];
      /** Undefined when the ARN ends early with a wildcard, which then stands for all that follows. */
      readonly tail: Template | undefined;
      readonly matchTail: Matcher | undefined;
    };

const segments = 6;

/** The pieces between the first five colons; what follows is one piece. */
const split = (arn: string): readonly string[] => {
  const pieces = arn.split(':');
  return pieces.length <= segments
    ? pieces
    : [...pieces.slice(0, segments - 1), pieces.slice(segments - 1).join(':')];
};

export type ResourceFault = 'not-an-arn' | 'variable-too-early' | 'bad-variable';

/** Reads a Resource; a fault when it can never match anything. */
export const resourcePattern = (text: string, withVariables: boolean): ResourcePattern | ResourceFault => {
  if (text === '*') return { kind: 'all' };
  const pieces = split(text);
  if (pieces[0] !== 'arn') return 'not-an-arn';
  const endsEarly = pieces.length < segments;
  if (pieces.length < 3 || (endsEarly && !text.endsWith('*'))) return 'not-an-arn';
  const head = endsEarly ? pieces : pieces.slice(0, segments - 1);
  if (withVariables && head.some((piece) => piece.includes('${'))) return 'variable-too-early';
  const templates = head.map((piece) => templateOf(piece, false));
  const tail = endsEarly ? undefined : templateOf(pieces[segments - 1] ?? '', withVariables);
  if (!endsEarly && tail === undefined) return 'bad-variable';
  return {
    kind: 'arn',
    head: templates.map((template) =>
      template?.kind === 'fixed' ? matcherOf(template.pattern) : () => false,
    ),
    tail,
    matchTail: tail?.kind === 'fixed' ? matcherOf(tail.pattern) : undefined,
  };
};

/** A request's resource, cut once for all patterns. */
export interface AskedResource {
  readonly text: string;
  readonly pieces: readonly string[];
}

export const askedResource = (text: string): AskedResource => ({ text, pieces: split(text) });

const tailMatches = (tail: Template, text: string, context: Context, steps: Steps): boolean => {
  const pattern: Pattern | undefined = fill(tail, context, steps);
  return pattern !== undefined && matches(pattern, text, steps);
};

/**
 * Segment by segment: a wildcard stands for slashes but not for colons, except at the end of an ARN that ends early
 * (IAM User Guide, "IAM JSON policy elements: Resource"). An action without resources, `*`, is matched by `*` alone.
 * Throws TooComplex.
 */
export const resourceMatches = (
  pattern: ResourcePattern,
  asked: AskedResource,
  context: Context,
  steps: Steps,
): boolean => {
  if (pattern.kind === 'all') return true;
  const { pieces } = asked;
  if (pieces.length < pattern.head.length) return false;
  const last = pattern.head.length - 1;
  const isMatch = pattern.head.every((matchesSegment, i) =>
    matchesSegment(
      pattern.tail === undefined && i === last ? pieces.slice(i).join(':') : (pieces[i] ?? ''),
      steps,
    ),
  );
  if (!isMatch || pattern.tail === undefined) return isMatch;
  const rest = pieces[segments - 1];
  if (rest === undefined) return false;
  return pattern.matchTail ? pattern.matchTail(rest, steps) : tailMatches(pattern.tail, rest, context, steps);
};
