import { airflowRoleArn } from '../../contract/arn.ts';
import { airflowRoles } from '../../contract/roles.ts';
import { type Operation, stringMember } from '../operation.ts';

/** Clients look for `Airflow role` in this text before they fall back to another way in. */
export const noRole = 'No Airflow role granted in IAM.';

/** What the operations that let people into Airflow ask IAM for: each of the roles, and never the environment. */
export const airflowRoleResources: Operation['resources'] = (input, scope) =>
  airflowRoles.map((role) => airflowRoleArn(scope, stringMember(input, 'Name'), role));
