/** Who is calling, as IAM names it. */
export interface Principal {
  readonly type: 'Root' | 'IAMUser' | 'AssumedRole' | 'FederatedUser';
  /** `arn:aws:iam::ACCOUNT:root`, `arn:aws:iam::ACCOUNT:user/PATH/NAME`, `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`. */
  readonly arn: string;
  readonly accountId: string;
  /** IamIdentity of CreateWebLoginToken: `root`, `user/NAME` or `assumed-role/ROLE/SESSION`. */
  readonly iamIdentity: string;
  readonly accessKeyId: string;
  /** The unique id of the user or role, or the number of the account; a name may be given again. */
  readonly id?: string;
  readonly sessionName?: string;
  readonly sourceIdentity?: string;
  /** Of a role's session: ARN of the user who assumed the first role of the chain. */
  readonly firstCaller?: string;
}

/** What temporary credentials remember of how they were made. Times are epoch milliseconds. */
export interface SessionFacts {
  /** When the credentials were issued; undefined for long-term keys. */
  readonly credentialsIssuedAt?: number;
  readonly mfaAuthenticated?: boolean;
  readonly mfaAuthenticatedAt?: number;
  readonly sessionPolicies?: readonly string[];
  readonly sessionTags?: Readonly<Record<string, string>>;
  /** Keys of the tags that go on to the next role that is assumed. */
  readonly transitiveTagKeys?: readonly string[];
}

/**
 * Everything a token must remember of the call that minted it, so that roles can be evaluated anew later
 * with the policies of then.
 */
export interface MintContext extends SessionFacts {
  readonly principal: Principal;
  readonly sourceIp: string;
  readonly userAgent: string;
  readonly requestId: string;
}

/** Who signed a request. */
export interface Caller {
  readonly principal: Principal;
  readonly session: SessionFacts;
}

/**
 * The name under which limits count a principal. Whoever assumes a role chooses the name of the session, so sessions
 * count as the user who took the first role. A source identity counts separately: setting one is a right of its own
 * (sts:SetSourceIdentity), for programs that assume roles for many people.
 */
export const countedPrincipal = ({ arn, firstCaller = arn, sourceIdentity }: Principal): string =>
  sourceIdentity === undefined ? firstCaller : `${firstCaller} for ${sourceIdentity}`;

/** `assumed-role/ROLE/SESSION` → `ROLE`; undefined for others. */
export const roleNameOf = ({ type, iamIdentity }: Principal): string | undefined =>
  type === 'AssumedRole' ? iamIdentity.split('/')[1] : undefined;

/** `user/NAME` → `NAME`; undefined for others. */
export const userNameOf = ({ type, iamIdentity }: Principal): string | undefined =>
  type === 'IAMUser' ? iamIdentity.slice('user/'.length) : undefined;
