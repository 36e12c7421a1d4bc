import type { Policy, Statement } from './policy.ts';
import { type Template, variablesOf } from './variables.ts';

const ofTemplates = (templates: readonly (Template | undefined)[]): readonly string[] =>
  templates.flatMap((template) => (template === undefined ? [] : variablesOf(template)));

const ofStatement = ({ resources, conditions }: Statement): readonly string[] => [
  ...ofTemplates((resources ?? []).map((pattern) => (pattern.kind === 'arn' ? pattern.tail : undefined))),
  ...conditions.flatMap(({ name, test }) => [
    name,
    ...ofTemplates(test.kind === 'null' ? test.wanted : test.values),
  ]),
];

/** How often a policy names a condition key, in conditions and variables. */
export const contextKeyCount = ({ statements }: Policy): number =>
  statements.reduce((sum, statement) => sum + ofStatement(statement).length, 0);

/** The condition keys that policies ask for, as they are first written; the same key in another spelling is no other. */
export const contextKeysOf = (policies: readonly Policy[]): readonly string[] => {
  const keys = new Map<string, string>();
  for (const name of policies.flatMap(({ statements }) => statements.flatMap(ofStatement))) {
    const key = name.toLowerCase();
    if (!keys.has(key)) keys.set(key, name);
  }
  return [...keys.values()];
};
