import { commandIn } from './allow-list.ts';
import { type CommandForm, commandForm } from './options.ts';

/** Options whose values say what a command is about and are never secret. All others are hidden. */
const plainOptions = new Set([
  ...['--dag-id', '--run-id', '--task-regex', '--map-index', '--state', '--pool', '--limit', '--output'],
  ...['--start-date', '--end-date', '--exec-date', '--logical-date', '--from-date', '--to-date'],
  ...['--num-executions', '--clean-before-timestamp', '--tables', '--columns', '--color'],
  ...['--action', '--resource', '--conn-type', '--reprocess-behavior', '--max-active-runs'],
]);

/** Positionals that may be secret. */
const secretPositionals = new Set(['value']);

const hidden = '…';
const longestWord = 100;
const longestCommand = 1_000;

/** A word that needs no quotes to be read as one; others are written as JSON. */
const plain = (word: string): string => {
  const short = word.length > longestWord ? `${word.slice(0, longestWord)}${hidden}` : word;
  return /^[\w@%+=:,./-]+…?$/.test(short) ? short : JSON.stringify(short);
};

const isOption = (word: string): boolean => /^-[A-Za-z-]/.test(word);

/** The words after the command, one at a time, with what the last option takes still open. */
class Rest {
  readonly #form: CommandForm;
  #option: string | undefined;
  #takes: 'none' | 'one' | 'many' = 'none';
  #positionals = 0;

  constructor(form: CommandForm) {
    this.#form = form;
  }

  show(word: string): string {
    if (isOption(word)) return this.#showOption(word);
    if (this.#takes !== 'none') return this.#showValue(word);
    const { positionals, maximum } = this.#form;
    const name = positionals[Math.min(this.#positionals, positionals.length - 1)];
    this.#positionals += 1;
    const isKnown = name !== undefined && this.#positionals <= maximum;
    return isKnown && !secretPositionals.has(name) ? plain(word) : hidden;
  }

  #showOption(word: string): string {
    const at = word.indexOf('=');
    const name = at === -1 ? word : word.slice(0, at);
    const takes = this.#form.options.get(name);
    if (takes === undefined) return hidden;
    this.#option = this.#form.longNames.get(name);
    this.#takes = at === -1 ? takes : 'none';
    return at === -1 ? name : `${name}=${this.#value(word.slice(at + 1))}`;
  }

  #showValue(word: string): string {
    if (this.#takes === 'one') this.#takes = 'none';
    return this.#value(word);
  }

  #value(word: string): string {
    return plainOptions.has(this.#option ?? '') ? plain(word) : hidden;
  }
}

/**
 * A command as the audit record keeps it: which command, about what, with which options; without any value that may
 * be a secret (passwords and URIs of connections, values of variables, configurations of DAG runs). What is not of a
 * known command, or does not fit it, is hidden.
 */
export const shownCommand = (version: string, words: readonly string[]): string => {
  const command = commandIn(version, words);
  const form = command === undefined ? undefined : commandForm(version, command);
  if (command === undefined || form === undefined)
    return words
      .map((word, i) => (i < 2 && /^[a-z][a-z-]{0,30}$/.test(word) ? word : hidden))
      .join(' ')
      .slice(0, 100);
  const rest = new Rest(form);
  const text = [command, ...words.slice(command.split(' ').length).map((word) => rest.show(word))].join(' ');
  return text.length > longestCommand ? `${text.slice(0, longestCommand)}${hidden}` : text;
};
