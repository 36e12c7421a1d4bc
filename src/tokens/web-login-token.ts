import type { TokenKind } from './token-kind.ts';

/** The token of CreateWebLoginToken: exchanged once for a session of 12 hours. */
export const webLoginToken: TokenKind = {
  kind: 'web',
  typ: 'web-login+jwt',
  eventName: 'CreateWebLoginToken',
  label: 'a web login token',
  mostUses: 1,
  use: 'it is exchanged for a session at POST /aws_mwaa/login (Airflow 2) or POST /pluginsv2/aws_mwaa/login (Airflow 3)',
  call: (environment) => `CreateWebLoginToken (aws mwaa create-web-login-token --name ${environment})`,
};
