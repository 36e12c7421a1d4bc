/** One word for sh(1), whatever is in it. */
export const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** The same, for people to read: without quotes where none are needed. */
export const quotedWhereNeeded = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : quoted(word);
