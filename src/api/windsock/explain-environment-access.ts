import { environmentArn } from '../../contract/arn.ts';
import { airflowRoles } from '../../contract/roles.ts';
import { environmentNameInput } from '../../contract/shapes/environments.ts';
import { roleArn, userArn } from '../../identity/arn.ts';
import type { RoleAction } from '../../identity/authorizer.ts';
import { tagKeys } from '../../identity/condition-context.ts';
import { principalOfArn } from '../../identity/policies-of.ts';
import type { Principal } from '../../identity/principal.ts';
import type { Decision } from '../../policy/evaluate.ts';
import type { ApiDeps } from '../deps.ts';
import { findEnvironment } from '../mwaa/find.ts';
import { onEnvironment } from '../mwaa/rights.ts';
import type { Call, Operation, Output } from '../operation.ts';
import { mintOf } from './explain-access.ts';

const reasons = (decision: Decision): readonly string[] =>
  decision.matched
    .filter(({ effect }) => effect === (decision.allowed ? 'Allow' : 'Deny'))
    .map(({ policy, index }) => `${policy} statement ${index + 1}`);

const everybody = ({ directory, accountId }: ApiDeps): readonly Principal[] =>
  [
    ...directory.current.all('user').map((user) => userArn(accountId, user)),
    ...directory.current.all('role').map((role) => roleArn(accountId, role)),
  ].flatMap((arn) => principalOfArn(directory.current, arn, accountId) ?? []);

/** What one principal gets at an environment, and by which statements. */
const accessOf = (call: Call, deps: ApiDeps, name: string, tags: Readonly<Record<string, string>>) => {
  const context = tagKeys('aws:ResourceTag', tags);
  const scope = { accountId: deps.accountId, region: deps.region, environmentName: name, context };
  return (principal: Principal): Output => {
    const mint = mintOf(call, principal);
    const rolesFor = (action: RoleAction) => {
      const decisions = deps.authorizer.airflowRoles(mint, { ...scope, action });
      const roles = airflowRoles.filter((role) => decisions.get(role)?.allowed);
      const why = new Set(roles.flatMap((role) => reasons(decisions.get(role) as Decision)));
      return { AirflowRoles: roles, Why: [...why] };
    };
    const cli = deps.authorizer.decide(mint, {
      action: 'airflow:CreateCliToken',
      resource: environmentArn(deps, name),
      context,
    });
    return {
      Principal: principal.arn,
      CreateWebLoginToken: rolesFor('airflow:CreateWebLoginToken'),
      InvokeRestApi: rolesFor('airflow:InvokeRestApi'),
      CreateCliToken: { Allowed: cli.allowed, Why: reasons(cli) },
    };
  };
};

/** Who gets in, as what, and why: every user and role of the account. */
export const explainEnvironmentAccess: Operation = {
  name: 'ExplainEnvironmentAccess',
  input: environmentNameInput,
  action: 'windsock:ExplainEnvironmentAccess',
  checks: onEnvironment('windsock:ExplainEnvironmentAccess'),
  auditsSuccess: false,
  execute: async (call, deps) => {
    const { name, tags } = await findEnvironment(call, deps);
    return { Environment: name, Principals: everybody(deps).map(accessOf(call, deps, name, tags)) };
  },
};
