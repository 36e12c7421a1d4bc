import type { MintContext } from '../identity/principal.ts';
import { textOf } from '../lib/errors.ts';
import { type Log, silentLog } from '../lib/log.ts';
import type { Stop } from '../lib/stop.ts';
import type { Transaction } from '../lib/transaction.ts';
import { type AssertionDeps, type Assertions, createAssertions, type RoleEnvironment } from './assertion.ts';
import { cliToken } from './cli-token.ts';
import { type ReadToken, readToken } from './jwt.ts';
import { type MintDeps, mintToken } from './mint.ts';
import type { TokenMinter } from './ports.ts';
import { type RedeemDeps, redeemToken, type Wanted } from './redeem.ts';
import type { SessionStore } from './session-store.ts';
import type { TokenRecord } from './token-store.ts';
import { webLoginToken } from './web-login-token.ts';
import { createWebSessions, type SessionLimits, sessionPrefix, type WebSessions } from './web-session.ts';

const hour = 3_600_000;
const sweepEvery = 10 * 60_000;
const sweepBatch = 500;

export interface TokensDeps extends MintDeps, RedeemDeps, AssertionDeps {
  readonly sessionStore: SessionStore;
  readonly sessionLimits?: SessionLimits;
  readonly log?: Log;
}

/** Everything short-lived that opens an environment. */
export interface Tokens extends TokenMinter {
  /** A token of ours, by its signature; whether it may be used is another question. */
  read(text: string): Promise<ReadToken | undefined>;
  /** Counts a use of a token and runs `then` in the same transaction. Throws TokenRefused. */
  redeem<T>(
    token: ReadToken,
    wanted: Wanted,
    then: (tx: Transaction, row: TokenRecord) => Promise<T>,
  ): Promise<T>;
  /** What a credential is and where it belongs, for an error text; undefined when it is none of ours. */
  describe(credential: string): Promise<string | undefined>;
  readonly sessions: WebSessions;
  readonly assertions: Assertions;
  /** Whether the policies of now still give the right to a CLI token. */
  mayRunCommands(mint: MintContext, e: RoleEnvironment): boolean;
  /**
   * Ends every session and revokes every token of an environment, in the transaction of the delete.
   * Call what it gives after the commit: it cuts the open connections.
   */
  endAll(tx: Transaction, environmentId: string): Promise<() => void>;
  /** Deletes old rows now: tokens an hour after expiry, sessions a week after. */
  sweep(): Promise<void>;
  /** Sweeps every ten minutes. */
  startSweeping(): Stop;
}

const sweepAll = async (sweepSome: (limit: number) => Promise<number>): Promise<void> => {
  while ((await sweepSome(sweepBatch)) === sweepBatch);
};

const describe = async (deps: TokensDeps, credential: string): Promise<string | undefined> => {
  if (credential.startsWith(sessionPrefix)) return 'This is the credential of a web session.';
  const token = await readToken(credential, deps.keys, deps.installationId);
  return token && `This is ${token.kind.label} for environment ${token.environmentName}: ${token.kind.use}.`;
};

/** Builds the room. */
export const createTokens = (deps: TokensDeps): Tokens => {
  const log = deps.log ?? silentLog;
  const sessions = createWebSessions(deps);
  const sweep = async () => {
    await sweepAll((limit) => deps.tokenStore.sweep(deps.clock.now() - hour, limit));
    await sweepAll((limit) => deps.sessionStore.sweep(deps.clock.now() - 7 * 24 * hour, limit));
  };
  return {
    webLoginToken: (e, mint, airflowIdentity) => mintToken(deps, webLoginToken, e, { mint, airflowIdentity }),
    cliToken: (e, mint, airflowIdentity) => mintToken(deps, cliToken, e, { mint, airflowIdentity }),
    read: (text) => readToken(text, deps.keys, deps.installationId),
    redeem: (token, wanted, then) => redeemToken(deps, token, wanted, then),
    describe: (credential) => describe(deps, credential),
    sessions,
    assertions: createAssertions(deps),
    mayRunCommands: deps.mayRunCommands,
    endAll: async (tx, environmentId) => {
      await deps.tokenStore.revokeAll(tx, environmentId, deps.clock.now());
      return (await sessions.endWhere(tx, { environmentId }, 'environment-deleted')).announce;
    },
    sweep,
    startSweeping: () => {
      const timer = setInterval(() => {
        sweep().catch((e) => log.warn('old tokens and sessions not deleted', { reason: textOf(e) }));
      }, sweepEvery);
      timer.unref();
      return () => clearInterval(timer);
    },
  };
};
