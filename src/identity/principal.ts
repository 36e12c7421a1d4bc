/** Who is calling, as IAM names it. */
export interface Principal {
  readonly type: 'Root' | 'IAMUser' | 'AssumedRole' | 'FederatedUser';
  /** `arn:aws:iam::ACCOUNT:root`, `arn:aws:iam::ACCOUNT:user/NAME`, `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`. */
  readonly arn: string;
  readonly accountId: string;
  /** IamIdentity of CreateWebLoginToken: `root`, `user/NAME` or `assumed-role/ROLE/SESSION`. */
  readonly iamIdentity: string;
  readonly accessKeyId: string;
  readonly sessionName?: string;
  readonly sourceIdentity?: string;
}

/**
 * Everything a token must remember of the call that minted it, so that roles can be evaluated anew later
 * with the policies of then.
 */
export interface MintContext {
  readonly principal: Principal;
  readonly sourceIp: string;
  readonly userAgent: string;
  readonly requestId: string;
  /** When the credentials were issued, epoch milliseconds; undefined for long-term keys. */
  readonly credentialsIssuedAt?: number;
  readonly mfaAuthenticated?: boolean;
  readonly mfaAuthenticatedAt?: number;
  readonly sessionPolicies?: readonly string[];
  readonly sessionTags?: Readonly<Record<string, string>>;
}
