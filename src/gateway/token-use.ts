import type { ReadToken } from '../tokens/jwt.ts';
import { refuseStranger, type TokenRefused } from '../tokens/refused.ts';
import type { TokenKind } from '../tokens/token-kind.ts';
import { recordAfterwards } from './audited.ts';
import type { DoorDeps } from './deps.ts';
import type { DoorFacts } from './door-facts.ts';
import type { DoorRequest } from './door-request.ts';

/**
 * A token that this installation signed, whatever it is worth now. Only what is none counts against who sent it: junk
 * from anybody on this machine must not keep genuine tokens out. Throws TokenRefused for what is none, and Refusal 429.
 */
export const genuineToken = async (
  deps: DoorDeps,
  request: DoorRequest,
  text: string,
  wanted: { readonly kind: TokenKind; readonly environment: DoorFacts },
): Promise<ReadToken> => {
  const token = await deps.tokens.read(text);
  if (!token) {
    await deps.limits.strangeToken(request);
    throw refuseStranger(wanted.kind, wanted.environment.name);
  }
  deps.limits.beforeToken(token);
  return token;
};

/** Keeps that a genuine token was refused. Throws Refusal 429 once there are too many of those of one person. */
export const recordRefusal = async (
  deps: DoorDeps,
  request: DoorRequest,
  door: DoorFacts,
  refused: { readonly eventName: string; readonly token: ReadToken; readonly error: TokenRefused },
): Promise<void> => {
  const { eventName, token, error } = refused;
  deps.limits.tokenRefused(token);
  await recordAfterwards(deps, request, door, {
    eventName,
    principal: undefined,
    errorCode: 'AccessDenied',
    errorMessage: error.reason,
    requestParameters: { user: token.user },
  });
};
