import type { Clock } from '../lib/clock.ts';
import type { SessionEnded } from '../tokens/ports.ts';
import type { WebSession } from '../tokens/session-store.ts';
import type { Way } from './ways.ts';

/** Requests and sockets on their way, by session, so that they end when it does. */
export interface OpenConnections {
  /**
   * Notes a connection; call what it gives when it has ended by itself. It is cut at once when the session ended, or
   * the way was closed, while the request was on its way here.
   */
  add(session: WebSession, way: Way, cut: () => void): () => void;
  /** Those that have something open. */
  sessions(): readonly WebSession[];
  readonly sessionEnded: SessionEnded;
  /** Cuts everything that is open at an environment. */
  cutEnvironment(id: string): void;
  /** Cuts what came to an environment by these ways, and what is still to come by them, until they are set again. */
  setClosedWays(environmentId: string, ways: readonly Way[]): void;
  close(): void;
}

interface Open {
  readonly way: Way;
  readonly session: WebSession;
  readonly cut: () => void;
}

/** Longer than any request waits before its connection is noted, in milliseconds. */
const rememberFor = 300_000;

/** Expired sessions are looked for every second. */
export const createOpenConnections = (clock: Clock): OpenConnections => {
  const open = new Set<Open>();
  /** Sessions that ended lately, with when they can be forgotten; oldest first. */
  const ended = new Map<string, number>();
  const closedWays = new Map<string, readonly Way[]>();
  const forget = (): void => {
    for (const [id, until] of ended) {
      if (until > clock.monotonic()) return;
      ended.delete(id);
    }
  };
  const cutWhere = (match: (s: WebSession, way: Way) => boolean): void => {
    for (const entry of open) {
      if (!match(entry.session, entry.way)) continue;
      open.delete(entry);
      entry.cut();
    }
  };
  const timer = setInterval(() => {
    cutWhere((s) => s.expiresAt <= clock.now());
    forget();
  }, 1000);
  timer.unref();
  return {
    add: (session, way, cut) => {
      const entry = { session, way, cut };
      const isClosed = closedWays.get(session.environmentId)?.includes(way) ?? false;
      if (isClosed || ended.has(session.id)) cut();
      else open.add(entry);
      return () => open.delete(entry);
    },
    sessions: () => [...new Map([...open].map(({ session }) => [session.id, session])).values()],
    sessionEnded: (e) => {
      ended.set(e.sessionId, clock.monotonic() + rememberFor);
      cutWhere((s) => s.id === e.sessionId);
    },
    cutEnvironment: (id) => {
      closedWays.delete(id);
      cutWhere((s) => s.environmentId === id);
    },
    setClosedWays: (id, ways) => {
      closedWays.set(id, ways);
      cutWhere((s, way) => s.environmentId === id && ways.includes(way));
    },
    close: () => clearInterval(timer),
  };
};
