import { environmentNameInput } from '../../contract/shapes/environments.ts';
import type { Operation } from '../operation.ts';
import { airflowIdentity } from './airflow-identity.ts';
import { findAccessible } from './find.ts';
import { onAirflowRoles } from './rights.ts';

/**
 * A token of 60 seconds for the login page. Its audit entry is written where it is minted; which roles it brings is
 * asked again when it is used.
 */
export const createWebLoginToken: Operation = {
  name: 'CreateWebLoginToken',
  input: environmentNameInput,
  action: 'airflow:CreateWebLoginToken',
  checks: onAirflowRoles('airflow:CreateWebLoginToken'),
  givesOut: true,
  auditsSuccess: true,
  execute: async (call, deps) => {
    const { environment, webserverHostname } = await findAccessible(call, deps);
    const identity = airflowIdentity(call.principal, deps);
    const WebToken = await deps.tokens.webLoginToken(environment, call.mint, identity);
    return {
      WebToken,
      WebServerHostname: webserverHostname,
      IamIdentity: call.principal.iamIdentity,
      AirflowIdentity: identity,
    };
  },
};
