/** A cell may hold `|`, also within code. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** A table in Markdown. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

export const code = (text: string): string => `\`${text}\``;

/** The text of a page: parts with a blank line between them. */
export const page = (title: string, ...parts: readonly string[]): string =>
  [`# ${title}`, '<!-- Generated from the code by `npm run reference`. Do not edit. -->', ...parts]
    .map((part) => part.trim())
    .join('\n\n')
    .concat('\n');
