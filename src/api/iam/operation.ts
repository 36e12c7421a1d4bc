import { iamService, queryOperation } from '../../contract/aws-model.ts';
import { accessDeniedException } from '../../contract/errors.ts';
import type { ConditionContext } from '../../identity/condition-context.ts';
import type { Directory, DirectoryDraft } from '../../identity/directory.ts';
import { failpoint } from '../../lib/failpoint.ts';
import { deniedText } from '../../policy/denied-text.ts';
import type { ApiDeps } from '../deps.ts';
import type { Asked, Call, Check, Operation, Output } from '../operation.ts';

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

const checksOf =
  (name: string, target: TargetOf) =>
  (asked: Asked, deps: ApiDeps): readonly Check[] => {
    const { resource, context, moved, also } = target(asked, deps.directory.current);
    const action = `iam:${name}`;
    return [
      { action, resources: [resource], context },
      ...(moved === undefined ? [] : [{ action, resources: [moved], context }]),
      ...(also === undefined ? [] : [{ action: also, resources: [resource], context }]),
    ];
  };

const operationOf = (
  name: string,
  checks: Operation['checks'],
  rest: Pick<Operation, 'auditsSuccess' | 'execute'>,
): Operation => ({
  name,
  input: queryOperation(iamService, name).input,
  action: `iam:${name}`,
  checks,
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
  operationOf(name, checksOf(name, target), {
    auditsSuccess: false,
    execute: async (call, deps) => look(deps.directory.current, workOf(call, deps)),
  });

/** Throws AccessDenied for the first right that is missing now. */
const checkAgain = (checks: readonly Check[], { mint, principal }: Call, { authorizer }: ApiDeps): void => {
  for (const { action, resources, context } of checks)
    for (const resource of resources) {
      const decision = authorizer.decide(mint, { action, resource, context });
      if (!decision.allowed)
        throw accessDeniedException(deniedText({ principalArn: principal.arn, action, resource, decision }));
    }
};

/**
 * An operation that changes the directory, with its audit entry, all or nothing. What `audited` leaves out is kept out of that.
 * Changes wait for each other, so the rights are asked for again on what is there when it is this one's turn: of two
 * renames sent at once each alone may be allowed, and not both.
 */
export const changing = (
  name: string,
  target: TargetOf,
  change: (draft: DirectoryDraft, work: Work) => Output,
  audited: (output: Output) => Output = (output) => output,
): Operation => {
  const checks = checksOf(name, target);
  return operationOf(name, checks, {
    auditsSuccess: true,
    execute: async (call, deps) => {
      const output = await deps.directory.change(
        (draft) => {
          const work = workOf(call, deps);
          checkAgain(checks(work, deps), call, deps);
          return change(draft, work);
        },
        async (tx, changed) => {
          await deps.audit.write(call.auditEntry({ responseElements: audited(changed) }), tx);
          failpoint('iam:before-commit');
        },
      );
      failpoint('iam:after-commit');
      return output;
    },
  });
};
