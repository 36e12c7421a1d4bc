import { prefixedNames } from '../contract/host-prefixes.ts';

/** Edits of a hosts file (hosts(5)) as text: whatever is not ours stays as it is, byte by byte. */

const mark = '# made by: windsock trust --hosts';

export const hostsLine = `127.0.0.1 ${prefixedNames.join(' ')} ${mark}`;

/** Where the API listens. */
const ours = ['127.0.0.1', '::1'];

const linesOf = (text: string): readonly string[] => text.split(/(?<=\n)/);

interface Entry {
  /** From 1. */
  readonly line: number;
  readonly address: string;
  readonly names: readonly string[];
}

/** What the lines say that were not made by this command. */
const entriesOf = (text: string): readonly Entry[] =>
  linesOf(text).flatMap((line, index) => {
    if (line.includes(mark)) return [];
    const [address = '', ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/);
    return [{ line: index + 1, address, names: names.map((name) => name.toLowerCase()) }];
  });

/** The first line that leads one of the names elsewhere: it would win over ours, or share with it. */
export const conflictIn = (
  text: string,
): { readonly line: number; readonly name: string; readonly address: string } | undefined => {
  for (const { line, address, names } of entriesOf(text)) {
    const name = prefixedNames.find((wanted) => names.includes(wanted));
    if (name !== undefined && !ours.includes(address)) return { line, name, address };
  }
  return undefined;
};

/** True when lines of somebody else's lead all names here. */
export const isThereAlready = (text: string): boolean => {
  const here = entriesOf(text).filter(({ address }) => ours.includes(address));
  return prefixedNames.every((wanted) => here.some(({ names }) => names.includes(wanted)));
};

/** Without our line. What stands behind it on the same line is somebody else's: it was appended without a line end. */
export const withoutHostsLine = (text: string): string => {
  const lines = linesOf(text);
  const kept = lines.map((line) => {
    const at = line.indexOf(mark);
    if (at === -1) return line;
    const behind = line.slice(at + mark.length);
    return behind.trim() === '' ? '' : behind;
  });
  const last = lines.at(-1) ?? '';
  const isEndless = last.includes(mark) && !last.endsWith('\n') && kept.at(-1) === '';
  return isEndless ? kept.join('').replace(/\r?\n$/, '') : kept.join('');
};

/** With our line once, at the end; where the last line has no end, ours has none either. */
export const withHostsLine = (text: string): string => {
  const marked = linesOf(text).filter((line) => line.includes(mark));
  if (marked.length === 1 && marked[0]?.trim() === hostsLine) return text;
  const rest = withoutHostsLine(text);
  const end = rest.includes('\r\n') ? '\r\n' : '\n';
  return rest === '' || rest.endsWith('\n') ? `${rest}${hostsLine}${end}` : `${rest}${end}${hostsLine}`;
};
