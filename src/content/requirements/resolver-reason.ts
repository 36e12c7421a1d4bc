import type { Constraints, HandedLine, PreparedRequirements } from './prepared.ts';
import { placeOf, type SourceLine } from './refused.ts';
import { withoutCredentials } from './shown.ts';
import { type Mention, mentionsIn, readFailure, type UvFailure } from './uv-text.ts';

export interface Pin {
  /** `flask==2.2.5`. */
  readonly pin: string;
  readonly constraints: Constraints;
  readonly source: SourceLine;
}

export interface ResolverReason {
  /** The lines that it is about: those that uv's reason fits best, at most five; none when it names nothing of the file. */
  readonly lines: readonly SourceLine[];
  /** The pins that are in the way. */
  readonly pins: readonly Pin[];
  /** uv's own reason on one line. */
  readonly reason: string;
  /** All of it, for whoever wrote the file. Without credentials and values of variables. */
  readonly text: string;
}

const mostLines = 5;
const mostMentions = 500;
const longestReason = 1_000;

/** Where uv's file has a line that it cannot read: that file is none of the author's. */
const inFile = / in `[^`]*` at position \d+$/;

/** What uv came to: its last cause, and what it advises where the cause alone would mislead. */
const reasonOf = ({ what, causes, hints }: UvFailure): string => {
  const isResolution = /^No solution found/.test(what);
  const done = what.replace(inFile, '');
  const said = isResolution ? causes : [done, ...causes.slice(0, 1), ...causes.slice(1).slice(-1)];
  const helpful = hints.filter((hint) => !/--(?:find-links|python-version)/.test(hint));
  return [...said, ...helpful].filter((part) => part !== '').join(' — ');
};

const fileOf = (address: string): string => address.slice(address.lastIndexOf('/') + 1);

/** The addresses that uv names, without credentials, by the names of their files. */
const addressesIn = (raw: string): ReadonlyMap<string, string> => {
  const words = raw.split(/[\s`()]+/).filter((word) => word.includes(':/'));
  return new Map(words.map((word) => [fileOf(word), withoutCredentials(word)]));
};

const isNamed = ({ address }: HandedLine, addresses: ReadonlyMap<string, string>): boolean => {
  const named = address === undefined ? undefined : addresses.get(fileOf(address));
  return named !== undefined && named === withoutCredentials(address ?? '');
};

/** How well a line fits what is mentioned of its package; 0 for not at all. */
const fitOf = (
  line: HandedLine,
  mentions: readonly Mention[],
  addresses: ReadonlyMap<string, string>,
): number => {
  if (isNamed(line, addresses)) return 4;
  let best = 0;
  for (const { specifier, isRequired } of mentions) {
    const isSame = specifier === line.specifier;
    best = Math.max(best, isRequired ? (isSame ? 3 : 2) : isSame && specifier !== '' ? 2 : 1);
  }
  return best;
};

/** Each mention once, so that lines by the thousand are compared with few. */
const distinct = (sentences: readonly string[]): readonly Mention[] => {
  const all = sentences.flatMap(mentionsIn).map((m): [string, Mention] => [JSON.stringify(m), m]);
  return [...new Map(all).values()].slice(0, mostMentions);
};

/** Addresses of indexes and folders of links that uv could not ask. */
const unreachable = (raw: string, p: PreparedRequirements): readonly SourceLine[] => {
  const bare = (href: string): string => {
    const url = URL.parse(href);
    return url === null ? href : `${url.protocol}//${url.host}${url.pathname}`.replace(/\/+$/, '');
  };
  const asked = [...(p.index ? [p.index] : []), ...p.extraIndexes, ...p.findLinks];
  return asked.filter(({ href }) => raw.includes(bare(href))).map(({ source }) => source);
};

const bestOf = (
  lines: readonly HandedLine[],
  mentions: readonly Mention[],
  addresses: ReadonlyMap<string, string>,
): HandedLine[] => {
  const ofName = Map.groupBy(mentions, ({ name }) => name);
  const fits = lines.map((line) => fitOf(line, ofName.get(line.name ?? '') ?? [], addresses));
  const best = fits.reduce((most, fit) => Math.max(most, fit), 1);
  return lines.filter((_, i) => fits[i] === best);
};

/** The requirements that uv is about, or else their own constraints. */
const bestLines = (mentions: readonly Mention[], raw: string, p: PreparedRequirements): HandedLine[] => {
  const addresses = addressesIn(raw);
  const found = bestOf(p.requirements.lines, mentions, addresses);
  const theirs = p.constraints.filter(({ from }) => from === 'theirs').flatMap(({ lines }) => lines);
  return found.length > 0 ? found : bestOf(theirs, mentions, addresses);
};

/** Essential pins first: nothing that is written in the file changes them. */
const pinsIn = (
  mentions: readonly Mention[],
  lines: readonly HandedLine[],
  p: PreparedRequirements,
): Pin[] => {
  const isAsked = (m: Mention): boolean =>
    lines.some((line) => line.name === m.name && line.specifier === m.specifier);
  const wanted = new Set(mentions.filter((m) => !isAsked(m)).map((m) => `${m.name}${m.specifier}`));
  const pins = new Map<string, Pin>();
  for (const constraints of p.constraints)
    for (const { name, specifier, source } of constraints.lines) {
      const pin = `${name}${specifier}`;
      if (name === undefined || specifier === '' || pins.has(pin) || !wanted.has(pin)) continue;
      pins.set(pin, { pin, constraints, source });
    }
  return [...pins.values()];
};

const sayPin = ({ pin, constraints: { from, name }, source }: Pin): string =>
  from === 'theirs' ? `${pin} is asked for by ${name}, line ${source.line}` : `${pin} is pinned by ${name}`;

const isWordCharacter = (text: string): boolean => /^[A-Za-z0-9]$/.test(text);

/** Replaces a value where it is a word of its own, and a long one wherever it stands. */
const replaceWord = (text: string, value: string, as: string): string => {
  let [shown, from] = ['', 0];
  for (let at = text.indexOf(value); at !== -1; at = text.indexOf(value, from)) {
    const end = at + value.length;
    const isPart = isWordCharacter(text.charAt(at - 1)) || isWordCharacter(text.charAt(end));
    shown += text.slice(from, at) + (isPart && value.length < 6 ? value : as);
    from = end;
  }
  return shown + text.slice(from);
};

/** A text of uv without credentials, values of variables and places of folders. */
export const conceal = (text: string, p: Pick<PreparedRequirements, 'concealed'>): string => {
  let shown = withoutCredentials(text);
  for (const { text: value, as } of p.concealed) if (value !== '') shown = replaceWord(shown, value, as);
  return shown;
};

const shorten = (text: string): string =>
  text.length > longestReason ? `${text.slice(0, longestReason).trimEnd()}…` : text;

const unique = (lines: readonly SourceLine[]): SourceLine[] => [
  ...new Map(lines.map((line) => [`${line.line} ${line.file}`, line])).values(),
];

/**
 * Says why uv could not resolve or install: which lines of the requirement file it is about, and what pins them. uv itself
 * names neither. `stderr` is what it printed.
 */
export const resolverReason = (stderr: string, prepared: PreparedRequirements): ResolverReason => {
  const failure = readFailure(stderr);
  const raw = [failure.what, ...failure.causes, ...failure.hints].join('\n');
  const mentions = distinct([failure.what, ...failure.causes]);
  const asked = bestLines(mentions, raw, prepared);
  const pins = pinsIn(mentions, asked, prepared);
  const lines = unique([...unreachable(raw, prepared), ...asked.map(({ source }) => source)]).slice(
    0,
    mostLines,
  );
  const reason = shorten(conceal(reasonOf(failure), prepared)) || 'uv gave no reason';
  const said = pins.map((pin) => conceal(sayPin(pin), prepared)).slice(0, mostLines);
  const where = lines.map(placeOf).join('; ');
  const text = [...(where === '' ? [] : [where]), ...said, `uv says: ${reason}`].join('. ');
  return { lines, pins, reason, text };
};
