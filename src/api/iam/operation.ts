import { iamService, queryOperation } from '../../contract/aws-model.ts';
import type { ConditionContext } from '../../identity/condition-context.ts';
import type { Directory, DirectoryDraft } from '../../identity/directory.ts';
import { failpoint } from '../../lib/failpoint.ts';
import type { ApiDeps } from '../deps.ts';
import type { Asked, Call, Operation, Output } from '../operation.ts';

/** What one call is about, for policies. */
export interface Target {
  /** An ARN, or `*`. */
  readonly resource: string;
  readonly context?: ConditionContext;
  /** The ARN that the call gives to the resource: the right is needed on both. */
  readonly moved?: string;
  /** An action that is needed as well, for instance `iam:TagUser` to create somebody with tags. */
  readonly also?: string;
}

export type TargetOf = (asked: Asked, directory: Directory) => Target;

/** What a call's work may know besides the directory. */
export interface Work extends Asked {
  readonly now: number;
  readonly call: Call;
  readonly deps: ApiDeps;
}

const operationOf = (
  name: string,
  target: TargetOf,
  rest: Pick<Operation, 'auditsSuccess' | 'execute'>,
): Operation => ({
  name,
  input: queryOperation(iamService, name).input,
  action: `iam:${name}`,
  checks: (asked, deps) => {
    const { resource, context, moved, also } = target(asked, deps.directory.current);
    const action = `iam:${name}`;
    return [
      { action, resources: [resource], context },
      ...(moved === undefined ? [] : [{ action, resources: [moved], context }]),
      ...(also === undefined ? [] : [{ action: also, resources: [resource], context }]),
    ];
  },
  ...rest,
});

const workOf = (call: Call, deps: ApiDeps): Work => {
  const { input, principal } = call;
  const { accountId, region } = deps;
  return { input, principal, accountId, region, now: deps.clock.now(), call, deps };
};

/** An operation that looks into the directory. */
export const reading = (
  name: string,
  target: TargetOf,
  look: (directory: Directory, work: Work) => Output | Promise<Output>,
): Operation =>
  operationOf(name, target, {
    auditsSuccess: false,
    execute: async (call, deps) => look(deps.directory.current, workOf(call, deps)),
  });

/** An operation that changes the directory, with its audit entry, all or nothing. `secret` members are kept out of that. */
export const changing = (
  name: string,
  target: TargetOf,
  change: (draft: DirectoryDraft, work: Work) => Output,
  audited: (output: Output) => Output = (output) => output,
): Operation =>
  operationOf(name, target, {
    auditsSuccess: true,
    execute: async (call, deps) => {
      const output = await deps.directory.change(
        (draft) => change(draft, workOf(call, deps)),
        async (tx, changed) => {
          await deps.audit.write(call.auditEntry({ responseElements: audited(changed) }), tx);
          failpoint('iam:before-commit');
        },
      );
      failpoint('iam:after-commit');
      return output;
    },
  });
