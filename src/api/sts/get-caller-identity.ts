import { stsOperation } from './operation.ts';

/** Whoever can sign may ask who he is; no policy forbids it (STS API reference, GetCallerIdentity). */
export const getCallerIdentity = stsOperation('GetCallerIdentity', {
  checks: () => [],
  auditsSuccess: false,
  execute: async ({ principal }) => {
    const { id, accountId, arn, sessionName } = principal;
    const own = id ?? accountId;
    return {
      UserId: sessionName === undefined ? own : `${own}:${sessionName}`,
      Account: accountId,
      Arn: arn,
    };
  },
});
