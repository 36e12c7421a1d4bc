import { stringMember } from '../operation.ts';
import { stsValidation } from './errors.ts';
import { stsOperation } from './operation.ts';

/** There is one account; a key that is not of here belongs to nobody who could be named. */
export const getAccessKeyInfo = stsOperation('GetAccessKeyInfo', {
  checks: () => [{ action: 'sts:GetAccessKeyInfo', resources: ['*'] }],
  auditsSuccess: false,
  execute: async ({ input }, { accountId }) => {
    const id = stringMember(input, 'AccessKeyId');
    if (!/^A(?:KI|SI)A[A-Z2-7]{16}$/.test(id)) throw stsValidation('Invalid Access Key ID');
    return { Account: accountId };
  },
});
