/** One word for sh(1), whatever is in it. */
export const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
