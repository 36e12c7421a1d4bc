import type { TokenKind } from './token-kind.ts';

/**
 * The token of CreateCliToken: runs Airflow commands. Amazon MWAA takes one several times (AWS's own samples send a
 * series of commands with one) and documents no bound. This one is above what an environment can run in 60 seconds.
 */
export const cliToken: TokenKind = {
  kind: 'cli',
  typ: 'cli+jwt',
  eventName: 'CreateCliToken',
  label: 'a CLI token',
  mostUses: 200,
  use: 'it runs Airflow commands, as the bearer of POST /aws_mwaa/cli',
  call: (environment) => `CreateCliToken (aws mwaa create-cli-token --name ${environment})`,
};
