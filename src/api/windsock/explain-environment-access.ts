import { environmentArn } from '../../contract/arn.ts';
import { airflowRoles } from '../../contract/roles.ts';
import { environmentNameInput } from '../../contract/shapes/environments.ts';
import type { RoleAction } from '../../identity/authorizer.ts';
import { tagKeys } from '../../identity/condition-context.ts';
import { allPrincipals } from '../../identity/policies-of.ts';
import type { Principal } from '../../identity/principal.ts';
import { slices } from '../../lib/turns.ts';
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

/** What one principal gets at an environment, and by which statements. */
const accessOf = (call: Call, deps: ApiDeps, name: string, tags: Readonly<Record<string, string>>) => {
  const context = tagKeys('aws:ResourceTag', tags);
  const scope = { accountId: deps.accountId, region: deps.region, environmentName: name, context };
  const pause = slices();
  return async (principal: Principal): Promise<Output> => {
    const mint = mintOf(call, principal);
    const rolesFor = async (action: RoleAction) => {
      await pause();
      const decisions = deps.authorizer.airflowRoles(mint, { ...scope, action });
      const roles = airflowRoles.filter((role) => decisions.get(role)?.allowed);
      const why = new Set(roles.flatMap((role) => reasons(decisions.get(role) as Decision)));
      return { AirflowRoles: roles, Why: [...why] };
    };
    await pause();
    const cli = deps.authorizer.decide(mint, {
      action: 'airflow:CreateCliToken',
      resource: environmentArn(deps, name),
      context,
    });
    return {
      Principal: principal.arn,
      CreateWebLoginToken: await rolesFor('airflow:CreateWebLoginToken'),
      InvokeRestApi: await rolesFor('airflow:InvokeRestApi'),
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
    const accessTo = accessOf(call, deps, name, tags);
    const Principals: Output[] = [];
    for (const principal of allPrincipals(deps.directory.current, deps.accountId))
      Principals.push(await accessTo(principal));
    return { Environment: name, Principals };
  },
};
