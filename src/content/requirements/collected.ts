import { limits } from './decode.ts';
import type {
  ConstraintOrigin,
  Constraints,
  Dropped,
  HandedLine,
  HandedText,
  Index,
  PreparedRequirements,
} from './prepared.ts';
import { type SourceLine, Unfit } from './refused.ts';
import { normalised } from './requirement.ts';

const handed = (lines: readonly HandedLine[]): HandedText => ({
  text: lines.map((line) => `${line.text}\n`).join(''),
  lines,
});

const pin = /^([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9.!+_-]+)/;

/** Constraints that Windsock ships, which are believed. */
export const trusted = (from: ConstraintOrigin, name: string, text: string): Constraints => {
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line, i): HandedLine => {
      const [, packageName, version] = pin.exec(line) ?? [];
      return {
        source: { file: name, line: i + 1, text: line },
        text: line,
        name: packageName === undefined ? undefined : normalised(packageName),
        specifier: version === undefined ? '' : `==${version}`,
        address: undefined,
        byName: line,
      };
    });
  return { from, name, ...handed(lines) };
};

/** What a file and those it names add up to, as it is found. */
export class Collected {
  readonly requirements: HandedLine[] = [];
  readonly constraints: Constraints[] = [];
  readonly dropped: Dropped[] = [];
  readonly localWheels = new Set<string>();
  readonly noBinary: string[] = [];
  readonly onlyBinary: string[] = [];
  readonly extraIndexes: Index[] = [];
  readonly findLinks: Index[] = [];
  readonly concealed = new Map<string, string>();
  index: Index | undefined;
  noIndex = false;
  hasCredentials = false;
  requireHashes = false;
  prereleases = false;
  #bytes = 0;
  #lines = 0;
  #files = 0;

  /** Throws Unfit when all files together are more than is taken. */
  countFile(bytes: number, lines: number): void {
    this.#bytes += bytes;
    this.#lines += lines;
    this.#files += 1;
    const too =
      (this.#bytes > limits.bytes && '1 MiB') ||
      (this.#lines > limits.lines && `${limits.lines} lines`) ||
      (this.#files > limits.files && `${limits.files} files`);
    if (too)
      throw new Unfit(`With the files that it names it has more than ${too}`, 'Leave out what is not needed');
  }

  drop(source: SourceLine, why: string): void {
    this.dropped.push({ ...source, why });
  }

  addConstraints(name: string, lines: readonly HandedLine[]): void {
    this.constraints.push({ from: 'theirs', name, ...handed(lines) });
  }

  /** `others`: the constraints that hold whatever the file says, and those that it did not have to name. */
  result(chosen: PreparedRequirements['chosen'], others: readonly Constraints[]): PreparedRequirements {
    const { noIndex, hasCredentials, requireHashes, prereleases, noBinary, onlyBinary, dropped } = this;
    return {
      ...{ noIndex, hasCredentials, requireHashes, prereleases, noBinary, onlyBinary, dropped, chosen },
      ...{ findLinks: this.findLinks, localWheels: [...this.localWheels] },
      requirements: handed(this.requirements),
      constraints: [...others, ...this.constraints],
      // as in pip, whatever the order
      index: noIndex ? undefined : this.index,
      extraIndexes: noIndex ? [] : this.extraIndexes,
      // a value may hold another one
      concealed: [...this.concealed]
        .map(([text, as]) => ({ text, as }))
        .sort((a, b) => b.text.length - a.text.length),
    };
  }
}
