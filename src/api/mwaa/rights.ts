import { airflowRoleArn, environmentArn } from '../../contract/arn.ts';
import { accessDeniedException } from '../../contract/errors.ts';
import { airflowRoles } from '../../contract/roles.ts';
import type { Tags } from '../../environments/record.ts';
import { type ConditionContext, tagKeys } from '../../identity/condition-context.ts';
import type { ApiDeps } from '../deps.ts';
import { type Check, type Operation, stringMember } from '../operation.ts';

/** Clients look for `Airflow role` in this text before they fall back to another way in. */
export const noRole = 'No Airflow role granted in IAM.';

/** The condition keys of tags that a request brings. */
export const requestTags = (tags: Tags): ConditionContext => ({
  ...tagKeys('aws:RequestTag', tags),
  ...(Object.keys(tags).length === 0 ? {} : { 'aws:TagKeys': Object.keys(tags) }),
});

/** The condition keys of an environment; none while there is no such environment. */
export const environmentContext = async (name: string, deps: ApiDeps): Promise<ConditionContext> => {
  const { accountId, region } = deps;
  const found = await deps.store.find({ accountId, region, name });
  return tagKeys('aws:ResourceTag', found?.tags ?? {});
};

/** The right to do something with the environment that the call names. */
export const onEnvironment =
  (action: string, member = 'Name'): Operation['checks'] =>
  async ({ input, ...scope }, deps) => {
    const name = stringMember(input, member);
    return [
      { action, resources: [environmentArn(scope, name)], context: await environmentContext(name, deps) },
    ];
  };

/** The right to be let into Airflow with any of the roles; the environment itself is never asked for. */
export const onAirflowRoles =
  (action: string): Operation['checks'] =>
  async ({ input, ...scope }, deps) => {
    const name = stringMember(input, 'Name');
    const resources = airflowRoles.map((role) => airflowRoleArn(scope, name, role));
    return [{ action, resources, context: await environmentContext(name, deps), deniedText: noRole }];
  };

/**
 * A role is passed on within its account only (IAM User Guide, "Grant a user permissions to pass a role to an AWS
 * service"); the text is that of other services. Where AWS takes the roles they are of accounts of AWS. Throws
 * AccessDeniedException.
 */
export const checkPassedRole = (
  roleArn: string | undefined,
  { accountId, awsCredentials }: Pick<ApiDeps, 'accountId' | 'awsCredentials'>,
): void => {
  if (roleArn === undefined || awsCredentials?.takesRole || roleArn.split(':')[4] === accountId) return;
  throw accessDeniedException('Cross-account pass role is not allowed.');
};

/** Whoever gives a role to an environment needs the right to pass it on (MWAA user guide, "Accessing an environment"). */
export const passRole = (roleArn: string, environment: string): Check => ({
  action: 'iam:PassRole',
  resources: [roleArn],
  context: {
    'iam:PassedToService': 'airflow.amazonaws.com',
    'iam:AssociatedResourceArn': environment,
  },
});
