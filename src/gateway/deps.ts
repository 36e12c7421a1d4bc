import type { AuditSink } from '../audit/record.ts';
import type { AirflowDriver, EnvironmentStore } from '../environments/ports.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { TlsIdentity } from '../tls/reload.ts';
import type { Tokens } from '../tokens/tokens.ts';
import type { UpstreamPools } from '../upstream/pool.ts';
import type { OpenConnections } from './connections.ts';
import type { ReadCounts } from './reads.ts';

/** What a gateway is built from. */
export interface GatewayDeps {
  readonly environments: Pick<EnvironmentStore, 'findById' | 'inTransaction'>;
  readonly driver: Pick<AirflowDriver, 'webTarget' | 'cli' | 'shownCommand'>;
  readonly tokens: Tokens;
  readonly audit: AuditSink;
  readonly clock: Clock;
  readonly log: Log;
  readonly tls: TlsIdentity;
  /** Closed by whoever made them. */
  readonly pools: UpstreamPools;
  /** The port of the first environment; the next ones get the next free ports. */
  readonly firstPort: number;
}

/** What each of its parts may use. */
export interface DoorDeps extends GatewayDeps {
  readonly connections: OpenConnections;
  readonly reads: ReadCounts;
}
