import { AsyncLocalStorage } from 'node:async_hooks';
import type { InTransaction, Transaction } from '../lib/transaction.ts';
import type { SessionFilter, SessionStore, WebSession } from './session-store.ts';
import type { TokenAudit, TokenRecord, TokenStore } from './token-store.ts';

type FakeToken = { record: TokenRecord; uses: number; revoked: boolean };
type FakeSession = { session: WebSession; hash: string; ended: string | undefined };

const matches = (s: WebSession, { id, environmentId, person, way }: SessionFilter): boolean =>
  (id === undefined || s.id === id) &&
  (environmentId === undefined || s.environmentId === environmentId) &&
  (way === undefined || s.way === way) &&
  (person === undefined || s.airflowIdentity === person || s.mint.principal.arn === person);

const within = new AsyncLocalStorage<boolean>();

/** Whether a transaction holds its connection now: who asks for another then may wait for ever. */
export const isInTransaction = (): boolean => within.getStore() ?? false;

/** Stores in memory for unit tests: transactions run one after another, and roll back when they throw. */
export const fakeStores = () => {
  const tokens = new Map<string, FakeToken>();
  const sessions = new Map<string, FakeSession>();
  const audit: Parameters<TokenAudit['write']>[0][] = [];
  let queue: Promise<unknown> = Promise.resolve();
  let auditFails = false;

  const snapshot = () => {
    const before = [structuredClone([...tokens]), structuredClone([...sessions]), audit.length] as const;
    return () => {
      tokens.clear();
      sessions.clear();
      // structuredClone turns a Buffer into a Uint8Array.
      for (const [key, t] of before[0]) {
        tokens.set(key, { ...t, record: { ...t.record, jtiHash: Buffer.from(t.record.jtiHash) } });
      }
      for (const [key, s] of before[1]) sessions.set(key, s);
      audit.length = before[2];
    };
  };
  const inTransaction: InTransaction = (work) => {
    const run = queue.then(async () => {
      const rollback = snapshot();
      try {
        return await within.run(true, () => work({} as Transaction));
      } catch (error) {
        rollback();
        throw error;
      }
    });
    queue = run.catch(() => {});
    return run;
  };
  const tokenStore: TokenStore = {
    inTransaction,
    insert: async (_tx, record) =>
      void tokens.set(record.jtiHash.toString('hex'), { record, uses: 0, revoked: false }),
    use: async (_tx, hash, { most }) => {
      const token = tokens.get(hash.toString('hex'));
      if (!token || token.revoked || token.uses >= most) return undefined;
      token.uses += 1;
      return token.record;
    },
    state: async (_tx, hash) => {
      const token = tokens.get(hash.toString('hex'));
      if (!token) return 'unknown';
      if (token.revoked) return 'revoked';
      return token.uses > 0 ? 'used' : 'unused';
    },
    revokeAll: async (_tx, id) => {
      for (const t of tokens.values()) if (t.record.environmentId === id) t.revoked = true;
    },
    sweep: async (before, limit) => {
      const old = [...tokens].filter(([, t]) => t.record.expiresAt < before).slice(0, limit);
      for (const [key] of old) tokens.delete(key);
      return old.length;
    },
  };
  const sessionStore: SessionStore = {
    inTransaction,
    insert: async (_tx, session, hash) =>
      void sessions.set(session.id, { session, hash: hash.toString('hex'), ended: undefined }),
    use: async (hash, now) =>
      [...sessions.values()].find(
        (s) => s.hash === hash.toString('hex') && !s.ended && s.session.expiresAt > now,
      )?.session,
    end: async (_tx, id, reason) => {
      const found = sessions.get(id);
      if (!found || found.ended) return false;
      found.ended = reason;
      return true;
    },
    list: async (filter) =>
      [...sessions.values()]
        .filter((s) => !s.ended && matches(s.session, filter))
        .map(({ session }) => ({ ...session, environmentName: 'demo', lastSeenAt: session.createdAt })),
    endWhere: async (_tx, filter, reason) => {
      const living = [...sessions.values()].filter((s) => !s.ended && matches(s.session, filter));
      for (const s of living) s.ended = reason;
      return living.map(({ session }) => session);
    },
    sweep: async (before, limit) => {
      const old = [...sessions].filter(([, s]) => s.session.expiresAt < before).slice(0, limit);
      for (const [key] of old) sessions.delete(key);
      return old.length;
    },
  };
  return {
    tokenStore,
    sessionStore,
    inTransaction,
    audit: {
      entries: audit,
      write: async (entry: Parameters<TokenAudit['write']>[0]) => {
        if (auditFails) throw new Error('the audit record cannot be kept');
        audit.push(entry);
      },
    },
    tokens,
    sessions,
    failAudit: (fails: boolean) => {
      auditFails = fails;
    },
  };
};
