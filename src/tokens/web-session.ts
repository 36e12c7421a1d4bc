import { randomBytes } from 'node:crypto';
import type { MintContext } from '../identity/principal.ts';
import type { Clock } from '../lib/clock.ts';
import type { Stop } from '../lib/stop.ts';
import type { Transaction } from '../lib/transaction.ts';
import { hashOf } from './jwt.ts';
import type { EndReason, SessionEnded } from './ports.ts';
import type { SessionKind, SessionStore, WebSession } from './session-store.ts';

/** AWS: a web session lasts 12 hours, whatever is done in it. */
export const sessionLifetimeSeconds = 12 * 60 * 60;
const cacheMilliseconds = 30_000;
const cacheEntries = 2_000;

/** Marks the secret of a session, so that one that lies in the wrong place can be told for what it is. */
export const sessionPrefix = 'wss_';

export interface NewSession {
  readonly kind: SessionKind;
  readonly environmentId: string;
  readonly mint: MintContext;
  readonly airflowIdentity: string;
}

export interface WebSessions {
  /** Opens a session; the secret is in no other place than this answer. */
  open(tx: Transaction, s: NewSession): Promise<{ readonly secret: string; readonly session: WebSession }>;
  /** The living session of a secret. An end elsewhere is seen after at most 30 s, an end here at once. */
  find(secret: string): Promise<WebSession | undefined>;
  /** Ends a session in a transaction; call what it gives after the commit. */
  end(tx: Transaction, session: WebSession, reason: EndReason): Promise<() => void>;
  /** Ends every session of an environment in a transaction; call what it gives after the commit. */
  endAll(tx: Transaction, environmentId: string, reason: EndReason): Promise<() => void>;
  /** Called after the commit of each end. */
  onEnded(listener: SessionEnded): Stop;
}

interface Cached {
  readonly session: WebSession;
  readonly until: number;
}

/** Keeps what was read for some seconds, a bounded number of them, and forgets the moment a session ends. */
const sessionCache = (clock: Clock) => {
  const entries = new Map<string, Cached>();
  let ends = 0;
  return {
    get: (key: string): WebSession | undefined => {
      const hit = entries.get(key);
      if (!hit || hit.until <= clock.monotonic() || hit.session.expiresAt <= clock.now()) return undefined;
      return hit.session;
    },
    /** Counts the ends: what was read before one is not put into the cache after it. */
    ends: () => ends,
    put: (key: string, session: WebSession): void => {
      entries.delete(key);
      entries.set(key, { session, until: clock.monotonic() + cacheMilliseconds });
      const oldest = entries.keys().next().value;
      if (entries.size > cacheEntries && oldest !== undefined) entries.delete(oldest);
    },
    forget: (match: (s: WebSession) => boolean): void => {
      ends += 1;
      for (const [key, { session }] of entries) if (match(session)) entries.delete(key);
    },
  };
};

/** Web sessions: server-side, opaque, found by the SHA-256 of a 256-bit secret. */
export const createWebSessions = (deps: { sessionStore: SessionStore; clock: Clock }): WebSessions => {
  const cache = sessionCache(deps.clock);
  const listeners = new Set<SessionEnded>();
  const announce = (e: Parameters<SessionEnded>[0]) => {
    cache.forget((s) => (e.sessionId ? s.id === e.sessionId : s.environmentId === e.environmentId));
    for (const listener of listeners) listener(e);
  };
  return {
    open: async (tx, s) => {
      const secret = `${sessionPrefix}${randomBytes(32).toString('base64url')}`;
      const createdAt = deps.clock.now();
      const expiresAt = createdAt + sessionLifetimeSeconds * 1000;
      const session = { ...s, id: randomBytes(16).toString('base64url'), createdAt, expiresAt };
      await deps.sessionStore.insert(tx, session, hashOf(secret));
      return { secret, session };
    },
    find: async (secret) => {
      if (!secret.startsWith(sessionPrefix) || secret.length > 64) return undefined;
      const hash = hashOf(secret);
      const key = hash.toString('base64url');
      const hit = cache.get(key);
      if (hit) return hit;
      const before = cache.ends();
      const session = await deps.sessionStore.use(hash, deps.clock.now());
      if (session && before === cache.ends()) cache.put(key, session);
      return session;
    },
    end: async (tx, session, reason) => {
      await deps.sessionStore.end(tx, session.id, reason, deps.clock.now());
      return () => announce({ environmentId: session.environmentId, sessionId: session.id, reason });
    },
    endAll: async (tx, environmentId, reason) => {
      await deps.sessionStore.endAll(tx, environmentId, reason, deps.clock.now());
      return () => announce({ environmentId, reason });
    },
    onEnded: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};
