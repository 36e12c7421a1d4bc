import { openToIdentityProviders } from '../../policy/open-trust.ts';
import { compiledPolicy } from '../../policy/parse.ts';
import type { ApiDeps } from '../deps.ts';
import { type Call, type Operation, optionalString, stringMember } from '../operation.ts';

const warn = ({ input, principal, mint }: Call, { log }: ApiDeps): void => {
  const document =
    optionalString(input, 'AssumeRolePolicyDocument') ?? optionalString(input, 'PolicyDocument');
  if (document === undefined) return;
  const open = openToIdentityProviders(compiledPolicy(document, 'trust'));
  if (open.length === 0) return;
  const lines = open.map(({ start }) => start.line).join(', ');
  log.warn('role open to an identity provider', {
    role: stringMember(input, 'RoleName'),
    principal: principal.arn,
    requestId: mint.requestId,
    reason: `The statement that begins in line ${lines} of the trust policy needs a condition on the provider's aud or sub.`,
  });
};

/** The same operation, whose success is told in the log where the trust policy that it wrote is open: IAM has no warnings. */
export const warningOfOpenTrust = (operation: Operation): Operation => ({
  ...operation,
  execute: async (call, deps) => {
    const output = await operation.execute(call, deps);
    warn(call, deps);
    return output;
  },
});
