import type { AuditSink } from '../audit/record.ts';
import type { AirflowDriver, EnvironmentStore } from '../environments/ports.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { TlsIdentity } from '../tls/reload.ts';
import type { Tokens } from '../tokens/tokens.ts';
import type { AirflowLimits } from '../upstream/airflow-limits.ts';
import type { UpstreamPools } from '../upstream/pool.ts';
import type { Arrivals, Proxies } from './arrivals.ts';
import type { OpenConnections } from './connections.ts';
import type { DoorLimits } from './limits.ts';
import type { ReadCounts } from './reads.ts';
import type { ListeningAddresses } from './ways.ts';

/** The windsock command of a server, as it is typed. */
export interface OwnCommand {
  /** `windsock`, or `npx windsock` where there is no such command. */
  readonly program: string;
  /** The data folder, where it has to be said. */
  readonly data: string | undefined;
}

/** What a gateway is built from. */
export interface GatewayDeps {
  readonly environments: Pick<EnvironmentStore, 'findById' | 'inTransaction'>;
  readonly driver: Pick<AirflowDriver, 'webTarget' | 'cli' | 'shownCommand'>;
  readonly tokens: Tokens;
  readonly audit: AuditSink;
  readonly clock: Clock;
  readonly log: Log;
  readonly tls: Pick<TlsIdentity, 'secureContext' | 'contextFor' | 'keepFresh'>;
  /** Closed by whoever made them. */
  readonly pools: UpstreamPools;
  /** Where doors listen. */
  readonly addresses: ListeningAddresses;
  /** Environments answer by name in it, all at one port; without one each has a port of its own. */
  readonly domain?: string | undefined;
  /** The port of the first environment; the next ones get the next free ports. With a domain, the port of all. */
  readonly firstPort: number;
  /** The port that clients of a domain use, where a proxy in front has another. */
  readonly externalPort?: number | undefined;
  readonly proxies?: Proxies | undefined;
  /** Connections at once from one address. */
  readonly connectionsPerAddress: number;
  /** How people call the windsock command for this server. */
  readonly ownCommand: OwnCommand;
  /** Requests of one client without a session; five times as many at once. */
  readonly requestsPerSecond: number;
  /** What one principal may take of Airflow; shared with the API. */
  readonly airflowLimits: AirflowLimits;
}

/** What each of its parts may use. */
export interface DoorDeps extends GatewayDeps {
  readonly connections: OpenConnections;
  readonly reads: ReadCounts;
  readonly limits: DoorLimits;
  readonly arrivals: Arrivals;
}
