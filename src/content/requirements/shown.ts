const longest = 200;

/** Where the authority of an address begins in a word whose scheme ends at that colon. */
const authorityAt = (word: string, colon: number): number =>
  word.startsWith('//', colon + 1) ? colon + 3 : colon + 1;

const untilSlash = (word: string, from: number): string => {
  const slash = word.indexOf('/', from);
  return word.slice(from, slash === -1 ? undefined : slash);
};

const withoutQuery = (word: string): string => {
  const at = word.indexOf('?');
  return at === -1 ? word : `${word.slice(0, at)}?***`;
};

/** `https://user:word@host/x?token=1` becomes `https://***@host/x?***`. */
const withoutSecrets = (word: string): string => {
  const colon = word.indexOf(':');
  if (colon === -1) return withoutQuery(word);
  const begin = authorityAt(word, colon);
  // a password may hold anything, also a "?" or a "/"
  const at = word.lastIndexOf('@');
  const authority = untilSlash(word, begin);
  const isInPath = begin + authority.length < at && !/[:@?\\]/.test(authority);
  // isInPath: as in git+https://host/x.git@v1
  if (at < colon || isInPath) return withoutQuery(word);
  return `${word.slice(0, begin)}***${withoutQuery(word.slice(at))}`;
};

const hostOnly = /^(?:\[[0-9A-Fa-f:.]*\]|[^:[\]]*)(?::\d{0,5})?$/;

/** Without what closes an address in a sentence. */
const withoutEnd = (text: string): string => {
  let end = text.length;
  while (end > 0 && `)"'\`,;`.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
};

/** `https://user:word`: what stands behind the colon is no port, so the word may be the first of a password's. */
const beginsPassword = (word: string): boolean => {
  const scheme = word.indexOf('://');
  if (scheme === -1 || word.includes('@', scheme)) return false;
  return !hostOnly.test(withoutEnd(untilSlash(word, scheme + 3)));
};

/** The text without the credentials and queries of addresses in it. When in doubt too much is taken away. */
export const withoutCredentials = (text: string): string => {
  const shown: string[] = [];
  let isInPassword = false;
  for (const word of text.split(/(\s+)/)) {
    const at: number = isInPassword ? word.lastIndexOf('@') : -1;
    if (at !== -1) shown.push(withoutQuery(word.slice(at)));
    else if (!isInPassword && beginsPassword(word))
      shown.push(`${word.slice(0, word.indexOf('://') + 3)}***`);
    else if (!isInPassword) shown.push(withoutSecrets(word));
    isInPassword = (isInPassword && at === -1) || (!isInPassword && beginsPassword(word));
  }
  return shown.join('');
};

/** Characters that move the cursor or hide others: control and format characters, line and paragraph separators. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** One line of a file as it may stand in a message: no credentials, nothing unseen, at most 200 characters. */
export const shownLine = (text: string): string => {
  const shown = withoutCredentials(text).replace(unseen, ' ').trim();
  return shown.length > longest ? `${shown.slice(0, longest).trimEnd()}…` : shown;
};
