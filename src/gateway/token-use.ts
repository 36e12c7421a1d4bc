import type { Transaction } from '../lib/transaction.ts';
import type { ReadToken } from '../tokens/jwt.ts';
import type { Wanted } from '../tokens/redeem.ts';
import { refuseStranger, TokenRefused } from '../tokens/refused.ts';
import type { TokenRecord } from '../tokens/token-store.ts';
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
  wanted: Wanted,
): Promise<ReadToken> => {
  const token = await deps.tokens.read(text);
  if (!token) {
    await deps.limits.noteInvalidToken(request);
    throw refuseStranger(wanted.kind, wanted.environment.name);
  }
  deps.limits.beforeToken(token);
  return token;
};

/** Keeps that a genuine token was refused. Throws Refusal 429 once there are too many of those of one person. */
const recordRefusal = async (
  { deps, request, door }: AtDoor,
  eventName: string,
  token: ReadToken,
  error: TokenRefused,
): Promise<void> => {
  deps.limits.tokenRefused(token);
  await recordAfterwards(deps, request, door, {
    eventName,
    principal: undefined,
    errorCode: 'AccessDenied',
    errorMessage: error.reason,
    requestParameters: { user: token.user },
  });
};

/** A request at a door. */
interface AtDoor {
  readonly deps: DoorDeps;
  readonly request: DoorRequest;
  readonly door: DoorFacts;
}

/** What to use a token for; `refusedEvent` is how a refusal is recorded. */
interface Use<T> {
  readonly token: ReadToken;
  readonly wanted: Wanted;
  readonly refusedEvent: string;
  readonly then: (tx: Transaction, row: TokenRecord) => Promise<T>;
}

/** Uses a genuine token, as `Tokens.redeem` does, and keeps it when that is refused. Throws TokenRefused, and Refusal 429. */
export const useToken = async <T>(at: AtDoor, { token, wanted, refusedEvent, then }: Use<T>): Promise<T> => {
  const leave = await at.deps.limits.enterToken(token);
  try {
    return await at.deps.tokens.redeem(token, wanted, then);
  } catch (error) {
    if (error instanceof TokenRefused) await recordRefusal(at, refusedEvent, token, error);
    throw error;
  } finally {
    leave();
  }
};
