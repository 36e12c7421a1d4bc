import type { AuditSink } from '../audit/record.ts';
import { environmentArn } from '../contract/arn.ts';
import { type Authorizer, grantedRoles } from '../identity/authorizer.ts';
import { tagKeys } from '../identity/condition-context.ts';
import { systemClock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Database } from '../store/database.ts';
import { createSessionStore } from '../store/sessions.ts';
import { createTokenStore } from '../store/tokens.ts';
import type { SigningKeys } from '../tokens/signing-keys.ts';
import { createTokens, type Tokens } from '../tokens/tokens.ts';
import type { SessionLimits } from '../tokens/web-session.ts';

/** Tokens and sessions, with the roles that the policies of now give. */
export const buildTokens = (d: {
  readonly db: Database;
  readonly audit: AuditSink;
  readonly keys: SigningKeys;
  readonly installationId: string;
  readonly authorizer: Authorizer;
  readonly sessionLimits: SessionLimits;
  readonly singleUseCliTokens: boolean;
  readonly log: Log;
}): Tokens =>
  createTokens({
    tokenStore: createTokenStore(d.db),
    sessionStore: createSessionStore(d.db),
    audit: d.audit,
    keys: d.keys,
    clock: systemClock,
    installationId: d.installationId,
    sessionLimits: d.sessionLimits,
    singleUseCliTokens: d.singleUseCliTokens,
    log: d.log,
    rolesOf: (mint, e, action) =>
      grantedRoles(
        mint,
        d.authorizer.airflowRoles(mint, {
          accountId: e.accountId,
          region: e.region,
          environmentName: e.name,
          context: tagKeys('aws:ResourceTag', e.tags),
          action,
        }),
      ),
    mayRunCommands: (mint, e) =>
      d.authorizer.decide(mint, {
        action: 'airflow:CreateCliToken',
        resource: environmentArn(e, e.name),
        context: tagKeys('aws:ResourceTag', e.tags),
      }).allowed,
  });
