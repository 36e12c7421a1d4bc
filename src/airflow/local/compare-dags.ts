import { textOf } from '../../lib/errors.ts';
import { plural } from '../../lib/plural.ts';
import { type ImportFaults, mostFaults } from './trial-result.ts';

/**
 * What is known of the DAGs with the packages that an update replaces: those that cannot be imported, or why that could
 * not be found out. Undefined where nothing is replaced.
 */
export type DagsBefore = { readonly faults: ImportFaults } | { readonly unknown: string } | undefined;

/** Tries the DAGs with the packages that run now. A trial that fails makes it unknown, and fails nothing else. */
export const dagsBefore = async (trial: () => Promise<ImportFaults>): Promise<DagsBefore> => {
  try {
    const faults = await trial();
    // a list that is full says nothing of the rest
    const isWhole = Object.keys(faults).length < mostFaults;
    return isWhole ? { faults } : { unknown: `${mostFaults} DAG files or more cannot be imported` };
  } catch (error) {
    return { unknown: textOf(error) };
  }
};

const worked = (file: string, before: DagsBefore): boolean | undefined =>
  before !== undefined && 'faults' in before ? !Object.hasOwn(before.faults, file) : undefined;

const beginning = (file: string, before: DagsBefore): string => {
  switch (worked(file, before)) {
    case true:
      return 'A DAG cannot be imported, and worked with the packages that run now';
    case false:
      return 'A DAG cannot be imported, nor with the packages that run now';
    default:
      return 'A DAG cannot be imported';
  }
};

/** A warning for each DAG that cannot be imported: whether it could be with the packages that run now, and the reason. */
export const dagWarnings = (faults: ImportFaults, before: DagsBefore): readonly string[] =>
  Object.entries(faults).map(([file, fault]) => `${beginning(file, before)}: ${file}: ${fault}`);

/** The most that one message names, and the characters of each: LastUpdate has 1024 for all. */
const most = { files: 5, text: 120 } as const;

const shortened = (text: string): string =>
  text.length <= most.text ? text : `${text.slice(0, most.text - 1)}…`;

const named = (faults: ImportFaults, files: readonly string[]): string => {
  const more = files.length > most.files ? `; and ${files.length - most.files} more` : '';
  return `${files
    .slice(0, most.files)
    .map((file) => shortened(`${file}: ${faults[file]}`))
    .join('; ')}${more}`;
};

const whatToDo = 'Correct or remove them first: this server has --strict-dags';

/** Why an update may not go on under --strict-dags; undefined when it may. What could not be found out counts as a reason. */
export const strictFault = (faults: ImportFaults, before: DagsBefore): string | undefined => {
  const files = Object.keys(faults).filter((file) => worked(file, before) !== false);
  if (before === undefined || files.length === 0) return undefined;
  const count = plural(files.length, 'DAG file');
  const told = named(faults, files);
  return 'unknown' in before
    ? `${count} cannot be imported with the new packages: ${told}. It could not be found out whether that is so with the packages that run now: ${shortened(before.unknown)}. ${whatToDo}`
    : `${count} worked with the packages that run now and cannot be imported with the new ones: ${told}. ${whatToDo}`;
};
