import { readFileSync } from 'node:fs';

/** The version of this Windsock. */
export const ownVersion = (): string => {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
};
