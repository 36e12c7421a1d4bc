import { accessDeniedException, unrecognizedClientException } from '../contract/errors.ts';
import type { Caller } from '../identity/principal.ts';
import type { Route } from './route-types.ts';

const allowedOfSts = new Set(['AssumeRole', 'GetCallerIdentity']);

/** Credentials of GetSessionToken: they stand for the user or the root user, and last for a while. */
const isSessionToken = ({ principal, session }: Caller): boolean =>
  principal.type !== 'AssumedRole' && session.credentialsIssuedAt !== undefined;

/**
 * What credentials of GetSessionToken may not call at all, whatever policies say: IAM unless a second factor was shown,
 * and of STS all but AssumeRole and GetCallerIdentity (STS API reference, GetSessionToken). To IAM they are no
 * credentials at all, which is how AWS answers. Throws UnrecognizedClientException or AccessDeniedException.
 */
export const checkSessionLimits = ({ service, operation }: Route, caller: Caller): void => {
  if (!isSessionToken(caller)) return;
  if (service === 'iam' && !caller.session.mfaAuthenticated) throw unrecognizedClientException();
  if (service === 'sts' && !allowedOfSts.has(operation.name))
    throw accessDeniedException(`Cannot call ${operation.name} with session credentials`);
};
