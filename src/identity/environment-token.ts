import type { SecretBox } from '../lib/secret-box.ts';

/** `ID.SEALED`; an id has no full stop in it. */
const separator = '.';

/**
 * A token by which the processes of an environment show whose they are. It never expires: whoever takes it looks
 * whether the environment still is there, and which account sent it.
 */
export const newEnvironmentToken = (box: SecretBox, environmentId: string): string =>
  `${environmentId}${separator}${box.seal('', environmentId)}`;

/** The id of the environment that this token was made for; undefined for everything else. */
export const environmentOfToken = (box: SecretBox, token: string): string | undefined => {
  const at = token.indexOf(separator);
  if (at === -1 || token.length > 200) return undefined;
  const id = token.slice(0, at);
  return box.open(token.slice(at + 1), id) === undefined ? undefined : id;
};
