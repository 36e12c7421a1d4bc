/** Who asks, as far as a policy can tell. */
export interface PolicyPrincipal {
  readonly type: 'Root' | 'IAMUser' | 'AssumedRole' | 'FederatedUser';
  readonly arn: string;
}

export interface AuthorizationRequest {
  readonly principal: PolicyPrincipal;
  /** For instance `airflow:GetEnvironment`. */
  readonly action: string;
  /** An ARN, or `*` for actions without a resource. */
  readonly resource: string;
  /** Condition keys and their values, for instance `aws:SourceIp`. */
  readonly context: Readonly<Record<string, string | readonly string[]>>;
}

/** Why a decision is what it is; the list is closed so that callers can branch on it. */
export type Reason = 'root-user' | 'no-identity-based-policy';

/** A decision is data; somebody else turns it into a response. */
export interface Decision {
  readonly allowed: boolean;
  readonly reasons: readonly Reason[];
}

/**
 * Decides by IAM's rules: the account's root user may do everything, everything else is denied
 * unless a policy allows it (IAM User Guide, "Policy evaluation logic"). No identity can hold a policy yet.
 */
export const evaluate = (request: AuthorizationRequest): Decision =>
  request.principal.type === 'Root'
    ? { allowed: true, reasons: ['root-user'] }
    : { allowed: false, reasons: ['no-identity-based-policy'] };
