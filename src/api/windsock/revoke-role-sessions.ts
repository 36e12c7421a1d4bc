import { resourceNotFoundException } from '../../contract/errors.ts';
import { roleNameInput } from '../../contract/shapes/access.ts';
import { roleArn } from '../../identity/arn.ts';
import { type Operation, stringMember } from '../operation.ts';

/** The name and form that the IAM console uses ("Revoking IAM role temporary security credentials", IAM User Guide). */
const policyName = 'AWSRevokeOlderSessions';

const policy = (before: number): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Deny',
        Action: '*',
        Resource: '*',
        Condition: { DateLessThan: { 'aws:TokenIssueTime': new Date(before).toISOString() } },
      },
    ],
  });

/**
 * From now on nobody does anything with credentials of this role that were given out before, web sessions included.
 * Those who may assume it again.
 */
export const revokeRoleSessions: Operation = {
  name: 'RevokeRoleSessions',
  input: roleNameInput,
  action: 'windsock:RevokeRoleSessions',
  checks: ({ input, accountId }, { directory }) => {
    const name = stringMember(input, 'RoleName');
    const role = directory.current.get('role', name) ?? { path: '/', name };
    return [{ action: 'windsock:RevokeRoleSessions', resources: [roleArn(accountId, role)] }];
  },
  auditsSuccess: true,
  execute: async (call, deps) => {
    const name = stringMember(call.input, 'RoleName');
    // credentials say the second in which they were made: those of this one end too
    const before = (Math.floor(deps.clock.now() / 1000) + 1) * 1000;
    await deps.directory.change(
      (draft) => {
        const role = draft.get('role', name);
        if (!role) throw resourceNotFoundException(`The role with name ${name} cannot be found.`);
        draft.put({ ...role, inline: { ...role.inline, [policyName]: policy(before) } });
      },
      (tx) => deps.audit.write(call.auditEntry({}), tx),
    );
    return { RevokedBefore: before / 1000 };
  },
};
