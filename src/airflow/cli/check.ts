import { allowedCommands, commandIn } from './allow-list.ts';
import { type CommandForm, commandForm } from './options.ts';

export type CheckResult = { readonly ok: true } | { readonly ok: false; readonly reason: string };

const mostWords = 1000;
const mostBytes = 1024 * 1024;

const refused = (reason: string): CheckResult => ({ ok: false, reason });

/** Only what looks like a command's name is shown again; anything else may be a secret in the wrong place. */
const shown = (word: string): string => (/^[A-Za-z][\w-]{0,40}$/.test(word) ? word : '…');

const commandsText = (version: string): string => {
  const verbs = new Map<string, string[]>();
  for (const command of allowedCommands(version)) {
    const [noun = '', verb] = command.split(' ');
    verbs.set(noun, [...(verbs.get(noun) ?? []), ...(verb === undefined ? [] : [verb])]);
  }
  return [...verbs].map(([noun, list]) => `${noun} ${list.join('|')}`.trim()).join('; ');
};

const sizeFault = (words: readonly string[]): string | undefined => {
  if (words.length > mostWords) return `The command has more than ${mostWords} words. Use fewer.`;
  const bytes = words.reduce((sum, word) => sum + Buffer.byteLength(word), 0);
  if (bytes > mostBytes) return 'The command is longer than 1 MiB.';
  return words.some((word) => word.includes('\0')) ? 'The command holds a NUL character.' : undefined;
};

/** argparse takes `-1` and `-.5` for values wherever no option looks like a number. */
const isValue = (word: string): boolean => !word.startsWith('-') || /^-(\d+|\d*\.\d+)$/.test(word);

const optionsText = (form: CommandForm): string =>
  [...form.options.keys()].filter((name) => name.startsWith('--')).join(', ');

const optionFault = (command: string, form: CommandForm, word: string): string => {
  const name = word.split('=', 1)[0] ?? '';
  const short = /^-[A-Za-z]/.exec(word)?.[0];
  if (short !== undefined && form.options.has(short))
    return `Write the option ${short} and its value as two words, and every option by itself.`;
  const known = /^--?[A-Za-z][\w-]{0,40}$/.test(name) ? `The option ${name}` : 'An option given here';
  return `${known} is not available for "${command}". Options must be written in full; available: ${optionsText(form)}.`;
};

/** How many words the option at `at` covers, itself included; a text when it is not allowed. */
const optionLength = (
  command: string,
  form: CommandForm,
  words: readonly string[],
  at: number,
): number | string => {
  const word = words[at] ?? '';
  const takes = form.options.get(word);
  if (takes === undefined) {
    // `--name=value` is exact in argparse only for a full long name that takes one value
    const joined = /^(--[a-z][a-z-]*)=/.exec(word)?.[1];
    return joined !== undefined && form.options.get(joined) === 'one' ? 1 : optionFault(command, form, word);
  }
  if (takes === 'none') return 1;
  let end = at + 1;
  while (end < words.length && isValue(words[end] ?? '') && (takes === 'many' || end === at + 1)) end += 1;
  return takes === 'one' && end === at + 1
    ? `The option ${word} of "${command}" needs a value after it.`
    : end - at;
};

const checkRest = (command: string, form: CommandForm, words: readonly string[]): CheckResult => {
  let positionals = 0;
  for (let at = 0; at < words.length; ) {
    if (isValue(words[at] ?? '')) {
      positionals += 1;
      at += 1;
      continue;
    }
    const length = optionLength(command, form, words, at);
    if (typeof length === 'string') return refused(length);
    at += length;
  }
  if (positionals > form.maximum)
    return refused(
      `"${command}" takes at most ${form.maximum} argument(s) besides options; ${positionals} were given.`,
    );
  return { ok: true };
};

/**
 * Says whether a command line, already split into words and without the leading `airflow`, may run: a command of
 * AWS's list for this Airflow version, with reviewed options written in full, none of which names a file.
 * The reason holds no value of the command, because values may be secrets. Too few positionals are left to
 * Airflow, whose own usage text says more.
 */
export const checkCommand = (version: string, words: readonly string[]): CheckResult => {
  const fault = sizeFault(words);
  if (fault !== undefined) return refused(fault);
  const [noun, verb] = words;
  if (noun === undefined) return refused('No Airflow command was given. Send one, for instance: dags list');
  if (noun === 'airflow') return refused('Leave out the word "airflow": send, for instance, dags list');
  const command = commandIn(version, words);
  const form = command === undefined ? undefined : commandForm(version, command);
  if (command !== undefined && form !== undefined)
    return checkRest(command, form, words.slice(command.split(' ').length));
  const name = verb === undefined || verb.startsWith('-') ? shown(noun) : `${shown(noun)} ${shown(verb)}`;
  return refused(
    `The command "${name}" is not available in a managed environment with Airflow ${version}. Available: ${commandsText(version)}.`,
  );
};
