import { airflowRoleArn, type Scope } from '../contract/arn.ts';
import { type AirflowRole, airflowRoles } from '../contract/roles.ts';
import { type AuthorizationRequest, evaluate, type PolicyPrincipal } from './evaluate.ts';

/** The two actions on the resource `rbac-role`. */
export type RoleAction = 'airflow:CreateWebLoginToken' | 'airflow:InvokeRestApi';

/** Where the roles are asked for, and what the policies' conditions can see of the call. */
export interface RoleQuestion extends Scope {
  readonly environmentName: string;
  readonly context?: AuthorizationRequest['context'];
  /** CreateWebLoginToken when left out. */
  readonly action?: RoleAction | undefined;
}

/**
 * The Airflow roles that IAM grants: the action is evaluated on each `role/{env}/{Role}` and every allowed role
 * counts (the MWAA guide speaks of one or more roles; an explicit deny of one removes only that one).
 * The root user gets exactly Admin: policies cannot narrow it, Admin holds every permission of the others,
 * and Airflow's UI then shows one role. An empty list means: no way in.
 */
export const grantedAirflowRoles = (
  principal: PolicyPrincipal,
  question: RoleQuestion,
): readonly AirflowRole[] => {
  if (principal.type === 'Root') return ['Admin'];
  const { environmentName, context = {}, action = 'airflow:CreateWebLoginToken' } = question;
  return airflowRoles.filter((role) => {
    const resource = airflowRoleArn(question, environmentName, role);
    return evaluate({ principal, action, resource, context }).allowed;
  });
};
