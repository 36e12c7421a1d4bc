import { WindsockError } from '../lib/errors.ts';
import type { TokenKind } from './token-kind.ts';

export type RefusalReason =
  | 'not-ours'
  | 'wrong-kind'
  | 'other-environment'
  | 'expired'
  | 'already-used'
  | 'used-up'
  | 'revoked'
  | 'no-role'
  | 'no-right';

/** A token that opens nothing here. `publicText` says what it is, what it is for and which call to make instead. */
export class TokenRefused extends WindsockError {
  readonly reason: RefusalReason;
  /** Who the token was given to; only when its signature was right. */
  readonly user: string | undefined;

  constructor(reason: RefusalReason, publicText: string, user?: string) {
    super('TokenRefused', publicText, { detail: reason });
    this.reason = reason;
    this.user = user;
  }
}

/** What a genuine token says about itself. */
export interface TokenFacts {
  readonly kind: TokenKind;
  readonly environmentName: string;
  readonly user: string;
}

const why: Record<
  Exclude<RefusalReason, 'not-ours' | 'wrong-kind' | 'other-environment' | 'used-up'>,
  string
> = {
  expired: 'It has expired: such a token lives 60 seconds.',
  'already-used': 'It was used already: such a token works once.',
  revoked: 'It was revoked.',
  'no-role': 'No Airflow role granted in IAM to the principal it was given to.',
  'no-right': 'The right to it was withdrawn from the principal it was given to.',
};

const what = (t: TokenFacts): string => `This is ${t.kind.label} for environment ${t.environmentName}`;

/** The refusal of something that is no token of this installation. */
export const refuseStranger = (wanted: TokenKind, environment: string): TokenRefused =>
  new TokenRefused(
    'not-ours',
    `This is not a token of this installation. Call ${wanted.call(environment)} and send the token it gives.`,
  );

/** The refusal of a genuine token, at an endpoint of `environment` that wants the kind `wanted`. */
export const refuseToken = (
  reason: Exclude<RefusalReason, 'not-ours'>,
  token: TokenFacts,
  wanted: TokenKind,
  environment: string,
): TokenRefused => {
  const instead = `Call ${wanted.call(environment)}`;
  const text = (): string => {
    if (reason === 'wrong-kind') return `${what(token)}: ${token.kind.use}. ${instead} for what you do here.`;
    if (reason === 'other-environment')
      return `${what(token)}, and this is environment ${environment}. ${instead}.`;
    if (reason === 'no-role' || reason === 'no-right') return `${what(token)}. ${why[reason]}`;
    const cause =
      reason === 'used-up'
        ? `It was used ${token.kind.mostUses} times, which is as often as one may be.`
        : why[reason];
    return `${what(token)}. ${cause} ${instead} for a new one.`;
  };
  return new TokenRefused(reason, text(), token.user);
};
