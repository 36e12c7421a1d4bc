import { BadWords, splitWords } from '../../lib/words.ts';
import { Unfit } from './refused.ts';

/** What an option of a requirement file is for. */
export type Does =
  | 'requirement'
  | 'constraint'
  | 'index'
  | 'extra-index'
  | 'find-links'
  | 'no-index'
  | 'pre'
  | 'no-binary'
  | 'only-binary'
  | 'require-hashes'
  | 'hash'
  | 'dropped'
  | 'refused';

export interface Option {
  readonly does: Does;
  /** As written. */
  readonly name: string;
  /** Empty for an option that takes none. */
  readonly value: string;
  /** Why it is dropped or refused. */
  readonly why: string;
}

interface Rule {
  readonly does: Does;
  readonly takesValue: boolean;
  readonly why: string;
}

const rules = new Map<string, Rule>();
const add = (does: Does, takesValue: boolean, names: string, why = ''): void => {
  for (const name of names.split(' ')) rules.set(name, { does, takesValue, why });
};

add('requirement', true, '-r --requirement');
add('constraint', true, '-c --constraint');
add('index', true, '-i --index-url --pypi-url');
add('extra-index', true, '--extra-index-url');
add('find-links', true, '-f --find-links');
add('no-index', false, '--no-index');
add('pre', false, '--pre');
add('no-binary', true, '--no-binary');
add('only-binary', true, '--only-binary');
add('require-hashes', false, '--require-hashes');
add('hash', true, '--hash');

add('dropped', true, '--trusted-host', 'certificates are always checked');
add('dropped', false, '--prefer-binary', 'a wheel is taken wherever the version has one');
const ofPip = 'it is about how pip works, not about what is installed';
add(
  'dropped',
  true,
  '--use-feature --use-deprecated --progress-bar --timeout --default-timeout --retries',
  ofPip,
);
add(
  'dropped',
  true,
  '--exists-action --log --cache-dir --upgrade-strategy --root-user-action --report',
  ofPip,
);
add('dropped', true, '--keyring-provider --src', ofPip);
add('dropped', false, '--no-cache-dir --disable-pip-version-check --no-color --no-input --isolated', ofPip);
add(
  'dropped',
  false,
  '-q --quiet -v --verbose -U --upgrade --user --force-reinstall -I --ignore-installed',
  ofPip,
);
add('dropped', false, '--no-warn-script-location --no-warn-conflicts --no-python-version-warning', ofPip);
add('dropped', false, '--compile --no-compile --no-clean --break-system-packages', ofPip);

add('refused', true, '-e --editable', 'Editable installations are not done');
const elsewhere = 'Where and how packages are installed is for Windsock to say';
add('refused', true, '--proxy --cert --client-cert -t --target --prefix --root --python', elsewhere);
add('refused', true, '--python-version --platform --abi --implementation', elsewhere);
add('refused', false, '--no-deps --ignore-requires-python', elsewhere);
const build = 'Options for building from source are not passed on';
add('refused', true, '-C --config-settings --config-setting --global-option --install-option', build);
add('refused', true, '--build-option', build);
add('refused', false, '--no-build-isolation --use-pep517 --no-use-pep517', build);

const unknown = (name: string): Unfit =>
  new Unfit(
    'There is no such option in a requirement file',
    'Take it out: the options of the pip command are others than those of requirement files',
    name,
  );

const split = (text: string): readonly string[] => {
  try {
    return splitWords(text);
  } catch (error) {
    if (!(error instanceof BadWords)) throw error;
    throw new Unfit(
      'The options cannot be told apart: a quote or a backslash has no end, or there are more than a thousand',
      'Put the value between two double quotes',
    );
  }
};

/** Takes the option whose name was read; gives how many words it took beside its own. */
const take = (
  found: Option[],
  name: string,
  attached: string | undefined,
  next: string | undefined,
): number => {
  const rule = rules.get(name);
  if (rule === undefined) throw unknown(name);
  const { does, why } = rule;
  if (!rule.takesValue && attached !== undefined)
    throw new Unfit('The option takes no value', 'Leave the value out', name);
  const value = rule.takesValue ? (attached ?? next) : '';
  if (value === undefined || (rule.takesValue && value === ''))
    throw new Unfit('The option has no value', 'Write the value behind it, on the same line', name);
  found.push({ does, name, value, why });
  return rule.takesValue && attached === undefined ? 1 : 0;
};

const takeLong = (found: Option[], word: string, next: string | undefined): number => {
  const equals = word.indexOf('=');
  return equals === -1
    ? take(found, word, undefined, next)
    : take(found, word.slice(0, equals), word.slice(equals + 1), next);
};

/** `-rFILE`, `-r FILE`, and `-qq`. */
const takeShort = (found: Option[], word: string, next: string | undefined): number => {
  for (let at = 1; at < word.length; at += 1) {
    const name = `-${word.charAt(at)}`;
    const rest = word.slice(at + 1);
    if (rules.get(name)?.takesValue) return take(found, name, rest === '' ? undefined : rest, next);
    take(found, name, undefined, next);
  }
  if (word === '-') throw unknown(word);
  return 0;
};

/** The options in a text, quoted as in a shell. Throws Unfit for what no requirement file of pip has. */
export const parseOptions = (text: string): readonly Option[] => {
  const words = split(text);
  const found: Option[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (word.startsWith('--')) at += takeLong(found, word, words[at + 1]);
    else if (word.startsWith('-')) at += takeShort(found, word, words[at + 1]);
    else
      found.push({ does: 'dropped', name: word, value: '', why: 'pip ignores what stands behind an option' });
  }
  return found;
};
