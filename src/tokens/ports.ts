import type { MintContext } from '../identity/principal.ts';

/** The environment a token is for. */
export interface TokenEnvironment {
  readonly id: string;
  readonly name: string;
}

/** Mints the contract's two tokens: 60 seconds, single use, for one environment. */
export interface TokenMinter {
  /** Resolves once the token's record and its audit entry are durable. */
  webLoginToken(e: TokenEnvironment, mint: MintContext, airflowIdentity: string): Promise<string>;
  cliToken(e: TokenEnvironment, mint: MintContext, airflowIdentity: string): Promise<string>;
}

export type EndReason = 'signed-out' | 'right-withdrawn' | 'environment-deleted' | 'revoked' | 'way-closed';

/** Called after commit; the gateway cuts open connections and sockets. */
export type SessionEnded = (e: {
  readonly environmentId: string;
  readonly sessionId: string;
  readonly reason: EndReason;
}) => void;
