import { environmentNameInput } from '../../contract/shapes/environments.ts';
import type { Operation } from '../operation.ts';
import { airflowIdentity } from './airflow-identity.ts';
import { findAccessible } from './find.ts';
import { onEnvironment } from './rights.ts';

/** A token of 60 seconds for one command at `/aws_mwaa/cli`. Its audit entry is written where it is minted. */
export const createCliToken: Operation = {
  name: 'CreateCliToken',
  input: environmentNameInput,
  action: 'airflow:CreateCliToken',
  checks: onEnvironment('airflow:CreateCliToken'),
  givesOut: true,
  auditsSuccess: true,
  execute: async (call, deps) => {
    const { environment, webserverHostname } = await findAccessible(call, deps);
    const CliToken = await deps.tokens.cliToken(
      environment,
      call.mint,
      airflowIdentity(call.principal, deps),
    );
    return { CliToken, WebServerHostname: webserverHostname };
  },
};
