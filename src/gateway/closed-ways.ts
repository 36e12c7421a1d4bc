import type { EnvironmentRecord } from '../environments/record.ts';
import type { DoorDeps } from './deps.ts';
import { accessModeOf, closedWays } from './ways.ts';

/** Ends the sessions that came in by a way that the environment no longer has, and records how many. */
export const endClosedWays = async (deps: DoorDeps, e: EnvironmentRecord): Promise<void> => {
  const closed = closedWays(accessModeOf(e));
  deps.connections.setClosedWays(e.id, closed);
  for (const way of closed) {
    const announce = await deps.environments.inTransaction(async (tx) => {
      const { ended, announce: tell } = await deps.tokens.sessions.endWhere(
        tx,
        { environmentId: e.id, way },
        'way-closed',
      );
      if (ended.length > 0)
        await deps.audit.write(
          {
            ...{ eventName: 'WebSessionsEnded', readOnly: false, principal: 'server', environmentId: e.id },
            ...{ sourceIp: 'windsock', userAgent: 'windsock', requestId: '' },
            requestParameters: { Name: e.name, WebserverAccessMode: accessModeOf(e) },
            responseElements: { reason: 'way-closed', way, count: ended.length },
          },
          tx,
        );
      return tell;
    });
    announce();
  }
};
