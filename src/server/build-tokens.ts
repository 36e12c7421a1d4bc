import type { AuditSink } from '../audit/record.ts';
import { systemClock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { grantedAirflowRoles } from '../policy/airflow-roles.ts';
import type { Database } from '../store/database.ts';
import { createSessionStore } from '../store/sessions.ts';
import { createTokenStore } from '../store/tokens.ts';
import type { SigningKeys } from '../tokens/signing-keys.ts';
import { createTokens, type Tokens } from '../tokens/tokens.ts';

/** Tokens and sessions, with the roles that the policies of now give. */
export const buildTokens = (d: {
  readonly db: Database;
  readonly audit: AuditSink;
  readonly keys: SigningKeys;
  readonly installationId: string;
  readonly log: Log;
}): Tokens =>
  createTokens({
    tokenStore: createTokenStore(d.db),
    sessionStore: createSessionStore(d.db),
    audit: d.audit,
    keys: d.keys,
    clock: systemClock,
    installationId: d.installationId,
    log: d.log,
    rolesOf: (mint, e, action) =>
      grantedAirflowRoles(mint.principal, {
        accountId: e.accountId,
        region: e.region,
        environmentName: e.name,
        context: { 'aws:SourceIp': mint.sourceIp },
        action,
      }),
  });
