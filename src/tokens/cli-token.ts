import type { TokenKind } from './token-kind.ts';

/** The token of CreateCliToken: runs one Airflow command. */
export const cliToken: TokenKind = {
  kind: 'cli',
  typ: 'cli+jwt',
  eventName: 'CreateCliToken',
  label: 'a CLI token',
  use: 'it runs one Airflow command, as the bearer of POST /aws_mwaa/cli',
  call: (environment) => `CreateCliToken (aws mwaa create-cli-token --name ${environment})`,
};
