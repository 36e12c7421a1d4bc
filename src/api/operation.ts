import type { AuditEntry } from '../audit/record.ts';
import type { Scope } from '../contract/arn.ts';
import type { Checked } from '../contract/constraints.ts';
import type { OperationName } from '../contract/operations.ts';
import type { StructureShape } from '../contract/shape.ts';
import type { WindsockOperationName } from '../contract/windsock-operations.ts';
import type { MintContext, Principal } from '../identity/principal.ts';
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
    readonly responseElements?: Readonly<Record<string, unknown>>;
  }) => AuditEntry;
}

/** What AWS's answer holds, before it is JSON. */
export type Output = Readonly<Record<string, unknown>>;

/** One operation of the API: what it takes, who may call it, what it does. */
export interface Operation {
  readonly name: OperationName | WindsockOperationName;
  readonly input: StructureShape;
  /** The IAM action. */
  readonly action: string;
  /** The resources to ask for; the call is allowed when one of them is. */
  readonly resources: (input: Checked, scope: Scope) => readonly string[];
  /** What a denied caller reads, where the contract has a text of its own. */
  readonly deniedText?: string;
  /** True when a success is audited within the operation's own transaction. */
  readonly auditsSuccess: boolean;
  readonly execute: (call: Call, deps: ApiDeps) => Promise<Output>;
}

/** The checked string member; operations ask only for members that their shape requires. */
export const stringMember = (input: Checked, name: string): string => {
  const value = input[name];
  if (typeof value !== 'string') throw new Error(`the input has no member ${name}`);
  return value;
};
