import type { environmentStatuses } from '../contract/statuses.ts';

export type EnvironmentStatus = (typeof environmentStatuses)[number];

export type LastUpdateStatus = 'SUCCESS' | 'PENDING' | 'FAILED';

/** What a status means for whoever asks, and for the loop. */
interface StatusRules {
  /** The statuses that may follow. */
  readonly next: readonly EnvironmentStatus[];
  /** What may be asked for: UpdateEnvironment, DeleteEnvironment, tokens and REST calls. */
  readonly takes: readonly Request[];
}
export type Request = 'update' | 'delete' | 'access';

/**
 * The whole life of an environment. PENDING (endpoints of the customer's own) and MAINTENANCE (AWS's own work) are
 * words of the model that nothing leads to here. People get in while an update runs: its web server is away for
 * parts of it at most.
 */
export const statusTable: Readonly<Record<EnvironmentStatus, StatusRules>> = {
  CREATING: { next: ['AVAILABLE', 'CREATE_FAILED'], takes: [] },
  CREATE_FAILED: { next: ['DELETING'], takes: ['delete'] },
  AVAILABLE: { next: ['CREATING_SNAPSHOT', 'UPDATING', 'DELETING'], takes: ['update', 'delete', 'access'] },
  CREATING_SNAPSHOT: { next: ['UPDATING', 'ROLLING_BACK'], takes: ['access'] },
  UPDATING: { next: ['AVAILABLE', 'ROLLING_BACK'], takes: ['access'] },
  ROLLING_BACK: { next: ['UPDATE_FAILED', 'UNAVAILABLE'], takes: ['access'] },
  UPDATE_FAILED: {
    next: ['CREATING_SNAPSHOT', 'UPDATING', 'DELETING'],
    takes: ['update', 'delete', 'access'],
  },
  UNAVAILABLE: { next: ['UPDATE_FAILED', 'DELETING'], takes: ['delete'] },
  DELETING: { next: ['DELETED'], takes: [] },
  DELETED: { next: [], takes: [] },
  PENDING: { next: [], takes: ['delete'] },
  MAINTENANCE: { next: [], takes: ['access'] },
};

export const mayAsk = (status: EnvironmentStatus, request: Request): boolean =>
  statusTable[status].takes.includes(request);

export const mayBecome = (from: EnvironmentStatus, to: EnvironmentStatus): boolean =>
  statusTable[from].next.includes(to);

/** The environment is there and nothing is being done to it; what it runs is kept running. */
export const isSettled = (status: EnvironmentStatus): boolean =>
  status === 'AVAILABLE' || status === 'UPDATE_FAILED';
