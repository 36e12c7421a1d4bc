/**
 * Edits of an AWS configuration file as text: whatever is not asked for stays as it is, byte by byte.
 * Format: "Configuration and credential file settings", AWS CLI user guide.
 */

const headerName = (line: string): string | undefined =>
  /^\[\s*([^\]]+?)\s*\]/.exec(line)?.[1]?.replace(/\s+/g, ' ').replace(/"/g, '');

const keyOf = (line: string): string | undefined => /^([A-Za-z0-9_.-]+)\s*[=:]/.exec(line)?.[1];

interface Span {
  /** Index of the line after the header. */
  readonly from: number;
  /** Index of the next header, or the number of lines. */
  readonly to: number;
}

const findSection = (lines: readonly string[], name: string): Span | undefined => {
  const header = lines.findIndex((line) => headerName(line) === name);
  if (header === -1) return undefined;
  const next = lines.findIndex((line, at) => at > header && headerName(line) !== undefined);
  return { from: header + 1, to: next === -1 ? lines.length : next };
};

/** The end of a setting: nested lines below it are indented. */
const endOfSetting = (lines: readonly string[], start: number, limit: number): number => {
  let end = start + 1;
  while (end < limit && /^[ \t]+\S/.test(lines[end] ?? '')) end += 1;
  return end;
};

/** The value of a setting on its own line; undefined when section or setting is absent. */
export const readSetting = (text: string, section: string, key: string): string | undefined => {
  const lines = text.split(/\r?\n/);
  const span = findSection(lines, section);
  if (!span) return undefined;
  const line = lines.slice(span.from, span.to).find((candidate) => keyOf(candidate) === key);
  return line?.replace(/^[^=:]*[=:]\s*/, '').trim();
};

export const hasSection = (text: string, section: string): boolean =>
  findSection(text.split(/\r?\n/), section) !== undefined;

/** What to write for a setting: its lines, or undefined to take it away. */
export type Settings = Readonly<Record<string, readonly string[] | undefined>>;

const setOne = (
  lines: string[],
  section: string,
  key: string,
  value: readonly string[] | undefined,
): void => {
  const span = findSection(lines, section);
  if (!span) return;
  const at = lines.findIndex((line, index) => index >= span.from && index < span.to && keyOf(line) === key);
  if (at !== -1) {
    lines.splice(at, endOfSetting(lines, at, span.to) - at, ...(value ?? []));
    return;
  }
  let end = span.to;
  while (end > span.from && (lines[end - 1] ?? '').trim() === '') end -= 1;
  lines.splice(end, 0, ...(value ?? []));
};

/** Sets settings in a section, which is appended when absent. */
export const setSettings = (text: string, section: string, settings: Settings): string => {
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const lines = text === '' ? [] : text.split(eol);
  if (lines.at(-1) === '') lines.pop();
  if (!findSection(lines, section)) lines.push(...(lines.length === 0 ? [] : ['']), `[${section}]`);
  for (const [key, value] of Object.entries(settings)) setOne(lines, section, key, value);
  return `${lines.join(eol)}${eol}`;
};
