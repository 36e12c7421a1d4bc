import type { Caller } from '../principal.ts';

/** A secret and whom it stands for. */
export interface Credential {
  readonly secretAccessKey: string;
  readonly caller: Caller;
  /** Thrown once the signature is known to be right: the credentials are not good any more. */
  readonly refused?: Error;
}

/** Undefined when the key is unknown or the session token is not the one that belongs to it. */
export type KeyLookup = (
  accessKeyId: string,
  sessionToken: string | undefined,
) => Promise<Credential | undefined>;
