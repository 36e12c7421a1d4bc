import type { AuditEntry } from '../audit/record.ts';
import type { Scope } from '../contract/arn.ts';
import type { Checked } from '../contract/constraints.ts';
import type { StructureShape } from '../contract/shape.ts';
import type { ConditionContext } from '../identity/condition-context.ts';
import type { MintContext, Principal } from '../identity/principal.ts';
import type { NamedPolicy } from '../policy/evaluate.ts';
import type { ApiDeps } from './deps.ts';

/** One call whose caller and input are known. */
export interface Call {
  readonly input: Checked;
  readonly principal: Principal;
  /** What a token must remember of this call. */
  readonly mint: MintContext;
  /** The call's audit entry as of a success; `details` adds what only the operation knows. */
  readonly auditEntry: (details: {
    readonly environmentId?: string;
    /** `intent` before something is handed on to Airflow; what is written after it is the outcome. */
    readonly phase?: 'intent';
    readonly responseElements?: Readonly<Record<string, unknown>>;
  }) => AuditEntry;
}

/** What AWS's answer holds, before it is written in the words of its protocol. */
export type Output = Readonly<Record<string, unknown>>;

/** One right that a call needs. */
export interface Check {
  /** The IAM action. */
  readonly action: string;
  /** ARNs or `*`; one that is allowed is enough. */
  readonly resources: readonly string[];
  /** Condition keys of the resource and the request, over the global ones. */
  readonly context?: ConditionContext | undefined;
  /** The policy of the resource itself, where it has one. */
  readonly policy?: NamedPolicy | undefined;
  /** What a denied caller reads, where the contract has a text of its own. */
  readonly deniedText?: string;
}

/** What the rights of a call depend on. */
export interface Asked extends Scope {
  readonly input: Checked;
  readonly principal: Principal;
}

/** One operation of the API: what it takes, who may call it, what it does. */
export interface Operation {
  readonly name: string;
  readonly input: StructureShape;
  /** The IAM action of the operation itself. */
  readonly action: string;
  /** Every right that the call needs, its own first. */
  readonly checks: (asked: Asked, deps: ApiDeps) => readonly Check[] | Promise<readonly Check[]>;
  /** True when a success is audited within the operation's own transaction. */
  readonly auditsSuccess: boolean;
  /** Gives out tokens or credentials: how often is bounded for each caller. */
  readonly givesOut?: true;
  readonly execute: (call: Call, deps: ApiDeps) => Promise<Output>;
}

/** The checked string member; operations ask only for members that their shape requires. */
export const stringMember = (input: Checked, name: string): string => {
  const value = input[name];
  if (typeof value !== 'string') throw new Error(`the input has no member ${name}`);
  return value;
};

/** A string member that may be left out. */
export const optionalString = (input: Checked, name: string): string | undefined => {
  const value = input[name];
  return typeof value === 'string' ? value : undefined;
};
