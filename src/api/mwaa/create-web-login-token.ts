import { accessDeniedException } from '../../contract/errors.ts';
import { environmentNameInput } from '../../contract/shapes/environments.ts';
import { grantedAirflowRoles } from '../../policy/airflow-roles.ts';
import type { Operation } from '../operation.ts';
import { airflowIdentity } from './airflow-identity.ts';
import { airflowRoleResources, noRole } from './airflow-role-access.ts';
import { findAccessible } from './find.ts';

/** A token of 60 seconds for the login page. Its audit entry is written where it is minted. */
export const createWebLoginToken: Operation = {
  name: 'CreateWebLoginToken',
  input: environmentNameInput,
  action: 'airflow:CreateWebLoginToken',
  resources: airflowRoleResources,
  deniedText: noRole,
  auditsSuccess: true,
  execute: async (call, deps) => {
    const { environment, webserverHostname } = await findAccessible(call, deps);
    const { accountId, region } = deps;
    const roles = grantedAirflowRoles(call.principal, {
      accountId,
      region,
      environmentName: environment.name,
      context: { 'aws:SourceIp': call.mint.sourceIp },
    });
    if (roles.length === 0) throw accessDeniedException(noRole);
    const identity = airflowIdentity(call.principal);
    const WebToken = await deps.tokens.webLoginToken(environment, call.mint, identity);
    return {
      WebToken,
      WebServerHostname: webserverHostname,
      IamIdentity: call.principal.iamIdentity,
      AirflowIdentity: identity,
    };
  },
};
