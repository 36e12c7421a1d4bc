import { randomInt } from 'node:crypto';

const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const alphabets = {
  base32: `${upper}234567`,
  base64: `${upper}${upper.toLowerCase()}0123456789+/`,
} as const;

/** Random characters of an alphabet, each as likely. */
export const randomText = (alphabet: keyof typeof alphabets, length: number): string => {
  const letters = alphabets[alphabet];
  return Array.from({ length }, () => letters[randomInt(letters.length)]).join('');
};

/** The id of a key that lasts until it is deleted (IAM User Guide, "IAM identifiers"). */
export const longTermKeyId = (): string => `AKIA${randomText('base32', 16)}`;
/** The id of a key that belongs to a session. */
export const temporaryKeyId = (): string => `ASIA${randomText('base32', 16)}`;

const prefixes = { user: 'AIDA', group: 'AGPA', role: 'AROA', policy: 'ANPA' } as const;

/** The unique id of something new in IAM. */
export const uniqueId = (kind: keyof typeof prefixes): string =>
  `${prefixes[kind]}${randomText('base32', 17)}`;
