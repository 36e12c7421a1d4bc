import { environmentArn, type Scope } from '../contract/arn.ts';
import { environmentService } from '../contract/role-credentials.ts';
import { isoTime } from '../lib/iso-time.ts';
import { evaluateTrust } from '../policy/evaluate.ts';
import { compiledPolicy } from '../policy/parse.ts';
import { roleArn } from './arn.ts';
import type { Directory, IamRole } from './directory.ts';

/** The environment whose role it is. */
export interface RoleHolder extends Scope {
  readonly name: string;
  readonly spec: { readonly ExecutionRoleArn: string };
}

/** The role, or why the environment cannot have it, for people. */
export type ExecutionRole = { readonly role: IamRole } | { readonly fault: string };

/** Keys by which a trust policy keeps other environments out (MWAA user guide, "Cross-service confused deputy prevention"). */
const contextOf = (e: RoleHolder, now: number) => ({
  'aws:SourceArn': environmentArn(e, e.name),
  'aws:SourceAccount': e.accountId,
  'aws:RequestedRegion': e.region,
  'aws:PrincipalIsAWSService': 'true',
  'aws:PrincipalServiceName': environmentService,
  'aws:CurrentTime': isoTime(now),
  'aws:EpochTime': String(Math.floor(now / 1000)),
});

const trusts = (role: IamRole, e: RoleHolder, now: number): boolean =>
  evaluateTrust(
    {
      principal: { type: 'Service', arn: environmentService },
      action: 'sts:AssumeRole',
      resource: e.spec.ExecutionRoleArn,
      context: contextOf(e, now),
    },
    compiledPolicy(role.trust, 'trust'),
  ) === 'named';

/** The execution role of an environment as IAM has it at this time (epoch milliseconds). */
export const executionRoleOf = (e: RoleHolder, directory: Directory, now: number): ExecutionRole => {
  const arn = e.spec.ExecutionRoleArn;
  const role = directory.get('role', arn.slice(arn.lastIndexOf('/') + 1));
  if (!role || roleArn(e.accountId, role) !== arn)
    return {
      fault: `The execution role ${arn} does not exist in the IAM of this installation. Create it with aws iam create-role, or name another role with UpdateEnvironment`,
    };
  if (!trusts(role, e, now))
    return {
      fault: `The trust policy of the execution role ${arn} does not let ${environmentService} assume it for this environment. Allow sts:AssumeRole to the Service ${environmentService} with aws iam update-assume-role-policy`,
    };
  return { role };
};

/** Why the environment cannot have its execution role now; undefined when it can. */
export const executionRoleFault = (e: RoleHolder, directory: Directory, now: number): string | undefined => {
  const found = executionRoleOf(e, directory, now);
  return 'fault' in found ? found.fault : undefined;
};
