import { accessDeniedException } from '../../contract/errors.ts';
import { issueCredentials } from '../../identity/session-token.ts';
import { refuseMfa } from './mfa.ts';
import { shownCredentials, stsOperation } from './operation.ts';

/** Seconds: twelve hours, and for the root user one (STS API reference, GetSessionToken). */
const usual = { user: 43_200, root: 3_600 };

/** Credentials of the caller's own for a while. They may not call IAM nor, without MFA, STS but for who they are. */
export const getSessionToken = stsOperation('GetSessionToken', {
  checks: () => [],
  givesOut: true,
  auditsSuccess: true,
  execute: async (call, deps) => {
    const { principal, input } = call;
    if (principal.accessKeyId.startsWith('ASIA'))
      throw accessDeniedException('Cannot call GetSessionToken with session credentials');
    refuseMfa(input);
    const most = principal.type === 'Root' ? usual.root : undefined;
    const asked = typeof input['DurationSeconds'] === 'number' ? input['DurationSeconds'] : usual.user;
    const now = deps.clock.now();
    const { accessKeyId: _, ...who } = principal;
    const credentials = issueCredentials(
      deps.boxes.sessionTokens,
      { principal: who, session: { credentialsIssuedAt: now } },
      now + Math.min(asked, most ?? asked) * 1000,
    );
    const { accessKeyId, expiresAt } = credentials;
    const responseElements = { Credentials: { AccessKeyId: accessKeyId, Expiration: expiresAt } };
    await deps.audit.write(call.auditEntry({ responseElements }));
    return { Credentials: shownCredentials(credentials) };
  },
});
