import { limits } from './decode.ts';
import { Unfit } from './refused.ts';

export type Variables = Readonly<Record<string, string | undefined>>;

/** The only form that pip replaces. */
const variable = /\$\{([A-Z0-9_]+)\}/g;

export interface Expanded {
  readonly text: string;
  /** Names of what was replaced. */
  readonly names: readonly string[];
}

/** Replaces `${NAME}`, once: what a value holds stays as it is. Throws Unfit for one without a value. */
export const expand = (text: string, variables: Variables): Expanded => {
  const names = new Set<string>();
  let length = text.length;
  const replaced = text.replace(variable, (_, name: string) => {
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    if (!value)
      throw new Unfit(
        `The variable ${name.slice(0, 100)} has no value`,
        'Set it by an Airflow configuration option: foo.user is AIRFLOW__FOO__USER',
      );
    names.add(name);
    length += value.length;
    if (length > limits.lineLength)
      throw new Unfit('With its variables replaced the line is too long', 'Make it shorter');
    return value;
  });
  return { text: replaced, names: [...names] };
};
