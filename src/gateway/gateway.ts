import type { Door } from '../environments/ports.ts';
import { textOf } from '../lib/errors.ts';
import type { SessionEnded } from '../tokens/ports.ts';
import { Arrivals } from './arrivals.ts';
import { createOpenConnections } from './connections.ts';
import type { DoorDeps, GatewayDeps } from './deps.ts';
import { createDoorLimits } from './limits.ts';
import { createNamedDoors } from './named-doors.ts';
import { createPortDoors } from './port-doors.ts';
import { createReadCounts } from './reads.ts';
import { watchWithdrawn } from './withdrawn.ts';

export interface Gateway {
  readonly door: Door;
  /** Cuts the connections of ended sessions; already called for every end that `deps.tokens` announces. */
  readonly sessionEnded: SessionEnded;
  /** Closes every door. */
  close(): Promise<void>;
}

/** The doors of all environments, and what stands behind them. */
export const createGateway = (deps: GatewayDeps): Gateway => {
  const connections = createOpenConnections(deps.clock);
  const reads = createReadCounts({
    audit: deps.audit,
    now: () => deps.clock.now(),
    failed: (error) => deps.log.warn('housekeeping failed', { reason: textOf(error) }),
  });
  const { clock, requestsPerSecond, proxies, connectionsPerAddress: perAddress } = deps;
  const doorDeps: DoorDeps = {
    ...deps,
    connections,
    reads,
    limits: createDoorLimits({ clock, requestsPerSecond, airflow: deps.airflowLimits }),
    arrivals: new Arrivals({ proxies, perAddress }),
  };
  const doors =
    deps.domain === undefined ? createPortDoors(doorDeps) : createNamedDoors(doorDeps, deps.domain);
  const stopWatching = watchWithdrawn(doorDeps);
  const stopListening = deps.tokens.sessions.onEnded(connections.sessionEnded);
  return {
    door: doors,
    sessionEnded: connections.sessionEnded,
    close: async () => {
      stopListening();
      await doors.closeAll();
      stopWatching();
      connections.close();
      await reads.close();
    },
  };
};
