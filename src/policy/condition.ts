import type { Operator } from './operators.ts';
import type { Steps } from './steps.ts';
import { type Context, fill, plainText, type Template } from './variables.ts';

/** How many of a request's values must compare. */
export type Quantifier = 'single' | 'for-all-values' | 'for-any-value';

/** One key of a Condition block. */
export interface Condition {
  /** As it is written in the policy. */
  readonly name: string;
  /** In small letters: keys are the same in any spelling. */
  readonly key: string;
  readonly test: { readonly kind: 'null'; readonly wanted: readonly Template[] } | Comparison;
}

interface Comparison {
  readonly kind: 'compare';
  readonly operator: Operator;
  readonly quantifier: Quantifier;
  readonly ifExists: boolean;
  readonly values: readonly Template[];
}

/** Steps of one comparison, whatever is compared. */
const perValue = 16;

/** Null with true: the key is absent; with false: it is there. Any of several values is enough. */
const nullHolds = (wanted: readonly Template[], isAbsent: boolean, context: Context, steps: Steps): boolean =>
  wanted.some((template) => {
    steps.take(perValue);
    const text = plainText(fill(template, context, steps) ?? []).toLowerCase();
    return text === String(isAbsent);
  });

const compares = (
  { operator, values }: Comparison,
  given: string,
  context: Context,
  steps: Steps,
): boolean => {
  const some = values.some((template) => {
    steps.take(perValue);
    const wanted = fill(template, context, steps);
    return wanted !== undefined && operator.compare(given, wanted, steps);
  });
  return operator.negated ? !some : some;
};

const compareHolds = (
  test: Comparison,
  given: readonly string[] | undefined,
  context: Context,
  steps: Steps,
): boolean => {
  const { quantifier, ifExists, operator } = test;
  if (given === undefined || given.length === 0) {
    if (ifExists) return true;
    // ForAllValues holds for no values at all, ForAnyValue for none (multivalued context keys, IAM User Guide)
    if (quantifier !== 'single') return quantifier === 'for-all-values';
    return operator.negated;
  }
  if (quantifier === 'for-all-values') return given.every((value) => compares(test, value, context, steps));
  if (quantifier === 'for-any-value') return given.some((value) => compares(test, value, context, steps));
  // Without a quantifier one value that compares is enough, and under Not… one that does is too many.
  return operator.negated
    ? given.every((value) => compares(test, value, context, steps))
    : given.some((value) => compares(test, value, context, steps));
};

/** Whether the condition holds for this request. Throws TooComplex. */
export const holds = ({ key, test }: Condition, context: Context, steps: Steps): boolean => {
  const given = context.get(key);
  if (test.kind === 'null') return nullHolds(test.wanted, given === undefined, context, steps);
  return compareHolds(test, given, context, steps);
};
