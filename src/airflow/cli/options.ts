import { compareVersions } from '../../lib/version-order.ts';
import { airflow2, airflow2From8, airflow2From9 } from './options-airflow-2.ts';
import { airflow3 } from './options-airflow-3.ts';

/** How many values an option takes: argparse's nargs of 0, 1 and `*`. */
type Takes = 'none' | 'one' | 'many';

/** What may follow one command. */
export interface CommandForm {
  /** Most positionals; Infinity where any number is taken. */
  readonly maximum: number;
  /** Their names, in order; the last one stands for all that follow where any number is taken. */
  readonly positionals: readonly string[];
  /** By each spelling, long and short. */
  readonly options: ReadonlyMap<string, Takes>;
  /** The long name of each spelling. */
  readonly longNames: ReadonlyMap<string, string>;
}

const takesOf = (mark: string): Takes => {
  if (mark === '=*') return 'many';
  return mark === '=' ? 'one' : 'none';
};

const parseOptions = (text: string): Pick<CommandForm, 'options' | 'longNames'> => {
  const options = new Map<string, Takes>();
  const longNames = new Map<string, string>();
  for (const word of ['-h,--help', ...text.split(' ').filter(Boolean)]) {
    const [, all = '', mark = ''] = /^([^=]+)(=\*?)?$/.exec(word) ?? [];
    const spellings = all.split(',');
    for (const spelling of spellings) {
      options.set(spelling, takesOf(mark));
      longNames.set(spelling, spellings.at(-1) ?? spelling);
    }
  }
  return { options, longNames };
};

const parseLine = (line: string): readonly [string, CommandForm] => {
  const [command = '', positionals = '', options = ''] = line.split('|').map((part) => part.trim());
  const names = positionals.split(' ').filter(Boolean);
  const form = {
    maximum: names.some((name) => name.endsWith('*')) ? Number.POSITIVE_INFINITY : names.length,
    positionals: names.map((name) => name.replace(/[?*]$/, '')),
    ...parseOptions(options),
  };
  return [command, form];
};

/** A line of a later text replaces one of an earlier text. */
const parseTable = (...texts: readonly string[]): ReadonlyMap<string, CommandForm> =>
  new Map(texts.flatMap((text) => text.trim().split('\n').map(parseLine)));

/** Newest first. A version between two reviewed ones gets the older list. */
const reviewed = [
  { from: '3.0', forms: parseTable(airflow3) },
  { from: '2.9', forms: parseTable(airflow2, airflow2From8, airflow2From9) },
  { from: '2.8', forms: parseTable(airflow2, airflow2From8) },
  { from: '0', forms: parseTable(airflow2) },
];

/** The reviewed form of a command in this Airflow version; undefined when none was reviewed. */
export const commandForm = (version: string, command: string): CommandForm | undefined =>
  reviewed.find(({ from }) => compareVersions(version, from) >= 0)?.forms.get(command);
