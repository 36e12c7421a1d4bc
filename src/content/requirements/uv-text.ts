/** More than this of what uv printed is not looked at. */
const longest = 16_384;

/** Colours, as `ESC[31m`, and the lines that older versions draw before a cause. */
const colours = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]{0,20}[A-Za-z]`, 'g');
const drawn = /^\s*(?:×|╰─▶|├─▶|│)\s?/;
const isCause = /^\s*(?:cause:|Caused by:|╰─▶|├─▶)/;
const heading = /^\s*(?:error:|cause:|Caused by:|hint:|tip:)\s*/;

const oneLine = (lines: readonly string[]): string => lines.join(' ').split(/\s+/).join(' ').trim();

const plain = (line: string): string => line.replace(drawn, '').replace(heading, '');

export interface UvFailure {
  /** What uv wanted to do: its line of the error. */
  readonly what: string;
  /** What it came to, outermost first. */
  readonly causes: readonly string[];
  readonly hints: readonly string[];
}

/** What a build printed is as long as it likes: of a Python that failed, the last line says why. */
const withoutOutput = (block: readonly string[]): readonly string[] => {
  const begin = block.findIndex((line) => /^\s*(?:│\s*)?\[std(?:out|err)\]\s*$/.test(line));
  return begin === -1 ? block : [...block.slice(0, begin), ...block.slice(begin + 1).slice(-1)];
};

/** A block ends where another begins; lines before the first error are progress and warnings. */
const blocksOf = (text: string): readonly (readonly string[])[] => {
  const lines = text.slice(0, longest).replace(colours, '').split(/\r?\n/);
  const begin = lines.findIndex((line) => /^\s*(?:error:|×)/.test(line));
  const blocks: string[][] = [];
  for (const line of lines.slice(Math.max(0, begin))) {
    if (heading.test(line) || /^\s*(?:×|╰─▶|├─▶)/.test(line)) blocks.push([]);
    if (line.trim() !== '') (blocks.at(-1) ?? blocks[blocks.push([]) - 1])?.push(line);
  }
  return blocks;
};

/** Takes apart what uv printed on its error output when it failed. Each part is on one line. */
export const readFailure = (text: string): UvFailure => {
  let what = '';
  const [causes, hints]: [string[], string[]] = [[], []];
  for (const block of blocksOf(text)) {
    const first = block[0] ?? '';
    const said = oneLine(withoutOutput(block).map(plain));
    if (/^\s*(?:hint|tip):/.test(first)) hints.push(said);
    else if (isCause.test(first)) causes.push(said);
    else if (what === '') what = said;
  }
  return { what, causes, hints };
};

/** English words of uv's sentences that could be names of packages. */
const prose = new Set(
  `a and are available be because building build can cannot cause caused conclude client connect connection disabled
  depends download error expected computed failed fetch fetched file found for from has hash have hint http https i in index
  incompatible is it its lookups match matching mismatch missing must need network no not of on only or package packages platform
  python refused registry request requested require required requirement requirements requires resolve resolved resolving
  retries satisfied satisfy server simple solution source status such tag tcp than that the there to unsatisfiable
  url usable use used using valid version versions was we were wheel wheels with you your`.split(/\s+/),
);

export interface Mention {
  /** Normalised. */
  readonly name: string;
  /** `>=1,<2`, or empty. */
  readonly specifier: string;
  /** It stands in a list of what the requirements ask for. */
  readonly isRequired: boolean;
}

const mention =
  /[A-Za-z0-9][A-Za-z0-9._-]*(?:\[[A-Za-z0-9,._-]{0,200}\])?((?:,?(?:===|==|~=|!=|<=|>=|<|>)[A-Za-z0-9.*+!_]+)*)/g;

const nameIn = (text: string): string =>
  (/^[A-Za-z0-9._-]+/.exec(text)?.[0] ?? '')
    .replace(/[._-]+$/, '')
    .toLowerCase()
    .replace(/[-_.]+/g, '-');

/** Words between which uv lists what the requirements ask for: `you require a==1 and b>=2, we can conclude`. */
const isListEnd = (word: string): boolean => word !== 'and' && prose.has(word);

const withoutAddresses = (sentence: string): string =>
  sentence
    .split(' ')
    .filter((word) => !word.includes(':/'))
    .join(' ');

/** The packages that a sentence of uv names, in their order. Addresses in it are not looked into. */
export const mentionsIn = (sentence: string): readonly Mention[] => {
  const found: Mention[] = [];
  let [isRequired, before] = [false, ''];
  for (const match of withoutAddresses(sentence).matchAll(mention)) {
    const name = nameIn(match[0]);
    const specifier = (match[1] ?? '').replace(/\.$/, '');
    const isProse = specifier === '' && prose.has(name);
    if (isProse && name === 'require') isRequired = before === 'you';
    else if (isProse && isListEnd(name)) isRequired = false;
    else if (!isProse && !/^[\d.]+$/.test(name)) found.push({ name, specifier, isRequired });
    before = name;
  }
  return found;
};
