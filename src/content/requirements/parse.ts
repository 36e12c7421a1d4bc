import { type Option, parseOptions } from './options.ts';
import { parseRequirement, type Requirement } from './requirement.ts';

/** A line of a requirement file: a requirement with its own options, or only options. */
export type ParsedLine =
  | { readonly requirement: Requirement; readonly options: readonly Option[] }
  | { readonly requirement?: undefined; readonly options: readonly Option[] };

/** Where the options of a line begin: at the first word with a dash. What stands before may hold quotes of its own. */
const optionsAt = (text: string): number => {
  for (let at = text.indexOf('-'); at !== -1; at = text.indexOf('-', at + 1))
    if (at === 0 || text.charAt(at - 1) === ' ' || text.charAt(at - 1) === '\t') return at;
  return text.length;
};

/** Reads one logical line, variables replaced. Throws Unfit; what it gives holds only what was understood. */
export const parseLine = (text: string): ParsedLine => {
  const at = optionsAt(text);
  const options = parseOptions(text.slice(at));
  return at === 0 ? { options } : { requirement: parseRequirement(text.slice(0, at).trim()), options };
};
