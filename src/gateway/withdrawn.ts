import { textOf } from '../lib/errors.ts';
import { every } from '../lib/keyed-queue.ts';
import type { Stop } from '../lib/stop.ts';
import type { WebSession } from '../tokens/session-store.ts';
import type { DoorDeps } from './deps.ts';

/** How often the rights of whoever has a request or a socket open are asked again, in milliseconds. */
const askEvery = 20_000;

/** Where a request came from; a session that ends without one is ended by the server itself. */
interface Asker {
  readonly clientIp: string;
  readonly userAgent: string;
  readonly requestId: string;
}

const theServer: Asker = { clientIp: 'windsock', userAgent: 'windsock', requestId: '' };

/** Ends a session whose person has no Airflow role any more, with its audit entry, and cuts what it has open. */
export const endWithdrawn = async (
  deps: DoorDeps,
  session: WebSession,
  asker: Asker = theServer,
): Promise<void> => {
  const announce = await deps.environments.inTransaction(async (tx) => {
    const after = await deps.tokens.sessions.end(tx, session, 'right-withdrawn');
    await deps.audit.write(
      {
        eventName: 'WebSessionEnded',
        readOnly: false,
        principal: session.mint.principal,
        session: session.mint,
        sourceIp: asker.clientIp,
        userAgent: asker.userAgent,
        requestId: asker.requestId,
        environmentId: session.environmentId,
        responseElements: { reason: 'right-withdrawn', AirflowIdentity: session.airflowIdentity },
      },
      tx,
    );
    return after;
  });
  announce();
};

const check = async (deps: DoorDeps, session: WebSession): Promise<void> => {
  const record = await deps.environments.findById(session.environmentId);
  if (!record || (await deps.tokens.assertions.forSession(session, async () => record)) !== undefined) return;
  await endWithdrawn(deps, session);
};

/** Asks again and again for everybody who has something open: a stream that never ends must not outlive its right. */
export const watchWithdrawn = (deps: DoorDeps): Stop =>
  every(
    askEvery,
    async () => {
      for (const session of deps.connections.sessions()) await check(deps, session);
    },
    (error) => deps.log.warn('housekeeping failed', { reason: textOf(error) }),
  );
