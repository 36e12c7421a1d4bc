import { environmentArn } from '../../contract/arn.ts';
import { environmentNameInput } from '../../contract/shapes/environments.ts';
import { type Operation, stringMember } from '../operation.ts';
import { airflowIdentity } from './airflow-identity.ts';
import { findAccessible } from './find.ts';

/** A token of 60 seconds for one command at `/aws_mwaa/cli`. Its audit entry is written where it is minted. */
export const createCliToken: Operation = {
  name: 'CreateCliToken',
  input: environmentNameInput,
  action: 'airflow:CreateCliToken',
  resources: (input, scope) => [environmentArn(scope, stringMember(input, 'Name'))],
  auditsSuccess: true,
  execute: async (call, deps) => {
    const { environment, webserverHostname } = await findAccessible(call, deps);
    const CliToken = await deps.tokens.cliToken(environment, call.mint, airflowIdentity(call.principal));
    return { CliToken, WebServerHostname: webserverHostname };
  },
};
