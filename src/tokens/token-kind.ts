/** What tells the contract's two tokens apart, and what to say to somebody who confuses them. */
export interface TokenKind {
  readonly kind: 'web' | 'cli';
  /** The JWT header `typ` (RFC 8725 3.11: explicit typing keeps one kind from standing in for another). */
  readonly typ: string;
  /** The API operation that gives such a token. */
  readonly eventName: string;
  readonly label: string;
  /** How often one token may be used within its lifetime. */
  readonly mostUses: number;
  /** Where the token belongs. */
  readonly use: string;
  /** The call that gives one, for the AWS command line. */
  readonly call: (environment: string) => string;
}

/** The lifetime that AWS documents for both tokens. */
export const tokenLifetimeSeconds = 60;

/** The audience of a token: its kind and the one environment it is for. */
export const audienceOf = (kind: TokenKind, environmentId: string): string => `${kind.kind}:${environmentId}`;
