import { randomBytes } from 'node:crypto';
import type { MintContext } from '../identity/principal.ts';
import type { Clock } from '../lib/clock.ts';
import type { Stop } from '../lib/stop.ts';
import type { Transaction } from '../lib/transaction.ts';
import { hashOf } from './jwt.ts';
import type { EndReason, SessionEnded } from './ports.ts';
import type {
  EndedSession,
  ListedSession,
  SessionFilter,
  SessionKind,
  SessionPosition,
  SessionStore,
  SessionWay,
  WebSession,
} from './session-store.ts';

/** How long sessions last, in seconds. */
export interface SessionLimits {
  /** Whatever is done in it; 12 hours on AWS. */
  readonly lifetime: number;
  /** Without a request. */
  readonly idle: number;
}

const usualSessionLimits: SessionLimits = { lifetime: 12 * 60 * 60, idle: 12 * 60 * 60 };
const cacheMilliseconds = 30_000;
const cacheEntries = 2_000;

/** Marks the secret of a session, so that one that lies in the wrong place can be told for what it is. */
export const sessionPrefix = 'wss_';
const secretBytes = 32;
const secretForm = new RegExp(`^${sessionPrefix}[\\w-]{${Math.ceil((secretBytes * 4) / 3)}}$`);

/** Whether a text has the form of a session's secret. What has not belongs to no session. */
export const isSessionSecret = (text: string): boolean => secretForm.test(text);

export interface NewSession {
  readonly kind: SessionKind;
  readonly way: SessionWay;
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
  /** Living sessions, newest first. */
  list(
    filter: SessionFilter,
    o: { readonly before: SessionPosition | undefined; readonly limit: number },
  ): Promise<readonly ListedSession[]>;
  /** Ends every session that matches in a transaction; call `announce` after the commit. */
  endWhere(
    tx: Transaction,
    filter: SessionFilter,
    reason: EndReason,
  ): Promise<{ readonly ended: readonly EndedSession[]; readonly announce: () => void }>;
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
export const createWebSessions = (deps: {
  readonly sessionStore: SessionStore;
  readonly clock: Clock;
  readonly sessionLimits?: SessionLimits;
}): WebSessions => {
  const limits = deps.sessionLimits ?? usualSessionLimits;
  const idleSince = () => deps.clock.now() - limits.idle * 1000;
  const cache = sessionCache(deps.clock);
  const listeners = new Set<SessionEnded>();
  const announce = (e: Parameters<SessionEnded>[0]) => {
    cache.forget((s) => s.id === e.sessionId);
    for (const listener of listeners) listener(e);
  };
  return {
    open: async (tx, s) => {
      const secret = `${sessionPrefix}${randomBytes(secretBytes).toString('base64url')}`;
      const createdAt = deps.clock.now();
      const expiresAt = createdAt + limits.lifetime * 1000;
      const session = { ...s, id: randomBytes(16).toString('base64url'), createdAt, expiresAt };
      await deps.sessionStore.insert(tx, session, hashOf(secret));
      return { secret, session };
    },
    find: async (secret) => {
      if (!isSessionSecret(secret)) return undefined;
      const hash = hashOf(secret);
      const key = hash.toString('base64url');
      const hit = cache.get(key);
      if (hit) return hit;
      const before = cache.ends();
      const session = await deps.sessionStore.use(hash, deps.clock.now(), idleSince());
      if (session && before === cache.ends()) cache.put(key, session);
      return session;
    },
    end: async (tx, session, reason) => {
      await deps.sessionStore.end(tx, session.id, reason, deps.clock.now());
      return () => announce({ environmentId: session.environmentId, sessionId: session.id, reason });
    },
    list: (filter, o) =>
      deps.sessionStore.list(filter, { ...o, now: deps.clock.now(), idleSince: idleSince() }),
    endWhere: async (tx, filter, reason) => {
      const ended = await deps.sessionStore.endWhere(tx, filter, reason, deps.clock.now());
      const tell = () => {
        for (const { id, environmentId } of ended) announce({ environmentId, sessionId: id, reason });
      };
      return { ended, announce: tell };
    },
    onEnded: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};
