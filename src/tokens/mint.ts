import { randomBytes } from 'node:crypto';
import type { MintContext } from '../identity/principal.ts';
import type { Clock } from '../lib/clock.ts';
import { failpoint } from '../lib/failpoint.ts';
import { hashOf, signJwt } from './jwt.ts';
import type { TokenEnvironment } from './ports.ts';
import type { SigningKeys } from './signing-keys.ts';
import { audienceOf, type TokenKind, tokenLifetimeSeconds } from './token-kind.ts';
import type { TokenAudit, TokenStore } from './token-store.ts';

export interface MintDeps {
  readonly tokenStore: TokenStore;
  readonly audit: TokenAudit;
  readonly keys: SigningKeys;
  readonly clock: Clock;
  /** Names this installation: the issuer of its tokens. */
  readonly installationId: string;
}

const auditEntry = (kind: TokenKind, e: TokenEnvironment, mint: MintContext, airflowIdentity: string) => ({
  eventName: kind.eventName,
  readOnly: false,
  principal: mint.principal,
  sourceIp: mint.sourceIp,
  userAgent: mint.userAgent,
  requestId: mint.requestId,
  environmentId: e.id,
  requestParameters: { Name: e.name },
  responseElements: { IamIdentity: mint.principal.iamIdentity, AirflowIdentity: airflowIdentity },
});

/** Mints one token. Its row and its audit entry are durable before the token exists for anybody. */
export const mintToken = async (
  deps: MintDeps,
  kind: TokenKind,
  e: TokenEnvironment,
  who: { readonly mint: MintContext; readonly airflowIdentity: string },
): Promise<string> => {
  const jti = randomBytes(24).toString('base64url');
  const issuedAt = deps.clock.now();
  const iat = Math.floor(issuedAt / 1000);
  const token = await signJwt(deps.keys.publicTokens, kind.typ, {
    iss: deps.installationId,
    aud: audienceOf(kind, e.id),
    iat,
    exp: iat + tokenLifetimeSeconds,
    jti,
    user: who.airflowIdentity,
    env: e.name,
  });
  await deps.tokenStore.inTransaction(async (tx) => {
    await deps.tokenStore.insert(tx, {
      jtiHash: hashOf(jti),
      kind: kind.kind,
      environmentId: e.id,
      ...who,
      issuedAt,
      expiresAt: (iat + tokenLifetimeSeconds) * 1000,
      bootId: deps.clock.bootId,
      monotonicDeadline: deps.clock.monotonic() + tokenLifetimeSeconds * 1000,
    });
    await deps.audit.write(auditEntry(kind, e, who.mint, who.airflowIdentity), tx);
    failpoint('mint:before-commit');
  });
  failpoint('mint:after-commit');
  return token;
};
