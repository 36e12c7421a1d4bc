import type { Clock } from '../lib/clock.ts';
import type { SessionEnded } from '../tokens/ports.ts';
import type { WebSession } from '../tokens/session-store.ts';

/** Requests and sockets on their way, by session, so that they end when it does. */
export interface OpenConnections {
  /** Notes a connection; call what it gives when it has ended by itself. */
  add(session: WebSession, cut: () => void): () => void;
  /** Those that have something open. */
  sessions(): readonly WebSession[];
  readonly sessionEnded: SessionEnded;
  close(): void;
}

interface Open {
  readonly session: WebSession;
  readonly cut: () => void;
}

/** Expired sessions are looked for every second. */
export const createOpenConnections = (clock: Clock): OpenConnections => {
  const open = new Set<Open>();
  const cutWhere = (match: (s: WebSession) => boolean): void => {
    for (const entry of open) {
      if (!match(entry.session)) continue;
      open.delete(entry);
      entry.cut();
    }
  };
  const timer = setInterval(() => cutWhere((s) => s.expiresAt <= clock.now()), 1000);
  timer.unref();
  return {
    add: (session, cut) => {
      const entry = { session, cut };
      open.add(entry);
      return () => open.delete(entry);
    },
    sessions: () => [...new Map([...open].map(({ session }) => [session.id, session])).values()],
    sessionEnded: (e) =>
      cutWhere((s) => (e.sessionId ? s.id === e.sessionId : s.environmentId === e.environmentId)),
    close: () => clearInterval(timer),
  };
};
