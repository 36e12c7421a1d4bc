import type { AuditSink } from '../audit/record.ts';
import {
  type EnvironmentOfRole,
  executionRolePolicy,
  executionRolePolicyName,
  executionRoleTrust,
  type RoleScope,
} from '../contract/execution-role.ts';
import { roleArn } from '../identity/arn.ts';
import type { IamRole } from '../identity/directory.ts';
import type { LivingDirectory } from '../identity/living-directory.ts';
import { uniqueId } from '../identity/random-keys.ts';
import type { Clock } from '../lib/clock.ts';
import { failpoint } from '../lib/failpoint.ts';
import { randomId } from '../lib/ids.ts';

const name = 'windsock-execution';

/** Of the execution role of first environments; whether there is one or not. */
export const executionRoleArn = (accountId: string): string => roleArn(accountId, { path: '/', name });

const newRole = (now: number): IamRole => ({
  ...{ kind: 'role', name, path: '/', id: uniqueId('role'), createdAt: now, trust: executionRoleTrust },
  ...{ maxSessionDuration: 3_600, tags: {}, inline: {}, attached: [] },
  description: 'Execution role of the environments that the server makes when it starts.',
});

/** IAM's quota for the inline policies of a role, white space not counted. */
const mostInline = 10_240;

const sizeOf = (documents: readonly string[]): number => documents.join('').replaceAll(/\s/g, '').length;

/** The calls of IAM that would have done the same. */
interface Done {
  readonly eventName: 'CreateRole' | 'PutRolePolicy';
  readonly requestParameters: Readonly<Record<string, string>>;
}

/**
 * Makes the execution role that the first environment names, with the policy for that environment, in one
 * transaction with its audit entries. What is there stays as it is: a role or policy of that name is somebody's, and
 * a policy that finds no more room in the role is left out. Called only when the environment is made, so that a role
 * that was deleted stays deleted.
 */
export const makeExecutionRole = async (
  named: EnvironmentOfRole,
  d: RoleScope & { readonly directory: LivingDirectory; readonly audit: AuditSink; readonly clock: Clock },
): Promise<void> => {
  const PolicyName = executionRolePolicyName(named.environment);
  const PolicyDocument = executionRolePolicy(named, d);
  await d.directory.change(
    (draft): readonly Done[] => {
      const before = draft.get('role', name);
      const role = before ?? newRole(d.clock.now());
      const made: readonly Done[] = before
        ? []
        : [
            {
              eventName: 'CreateRole',
              requestParameters: { RoleName: name, Path: '/', AssumeRolePolicyDocument: executionRoleTrust },
            },
          ];
      const full = sizeOf([...Object.values(role.inline), PolicyDocument]) > mostInline;
      if (full || Object.hasOwn(role.inline, PolicyName)) return made;
      draft.put({ ...role, inline: { ...role.inline, [PolicyName]: PolicyDocument } });
      return [
        ...made,
        { eventName: 'PutRolePolicy', requestParameters: { RoleName: name, PolicyName, PolicyDocument } },
      ];
    },
    async (tx, done) => {
      const by = { principal: 'server', sourceIp: 'windsock', userAgent: 'windsock' } as const;
      const entry = { ...by, readOnly: false, eventSource: 'iam.amazonaws.com' };
      for (const what of done) await d.audit.write({ ...entry, ...what, requestId: randomId(12) }, tx);
      failpoint('execution-role:before-commit');
    },
  );
  failpoint('execution-role:after-commit');
};
