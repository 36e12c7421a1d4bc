import { randomBytes } from 'node:crypto';

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** Random letters and digits, five bits each. */
export const randomId = (length: number): string =>
  Array.from(randomBytes(length), (byte) => alphabet[byte & 31]).join('');

/** A random secret of 256 bits in hex. */
export const randomSecret = (): string => randomBytes(32).toString('hex');
