import type { ComponentFacts, EnvironmentFacts, PostgresFacts } from '../config/runtime-files.ts';
import type { LiveSummary } from '../environments/content.ts';
import type { ComponentStatus } from '../environments/ports.ts';
import type { EnvironmentRecord } from '../environments/record.ts';
import { isSettled } from '../environments/status.ts';
import { processFacts } from '../lib/processes.ts';
import type { OwnDatabaseStatus } from './own-database.ts';

const longestError = 2_000;

const startTimeOf = (pid: number | undefined): number | undefined => {
  try {
    return pid === undefined ? undefined : processFacts(pid)?.startTime;
  } catch {
    return undefined; // no file descriptor is left: told without
  }
};

const runningOf = (p: Omit<OwnDatabaseStatus, 'state'>) => {
  const startTime = startTimeOf(p.pid);
  return {
    since: p.since,
    restarts: p.restarts,
    adopted: p.adopted,
    ...(p.pid === undefined ? {} : { pid: p.pid }),
    ...(startTime === undefined ? {} : { startTime }),
    ...(p.lastError === undefined ? {} : { lastError: p.lastError.slice(0, longestError) }),
  };
};

const componentOf = (c: ComponentStatus): ComponentFacts => ({
  name: c.name,
  state: c.state,
  ...runningOf(c),
});
/** PostgreSQL as `status.json` has it. */
export const postgresFacts = (p: OwnDatabaseStatus): PostgresFacts => ({ state: p.state, ...runningOf(p) });

/** People are told what the model has no word for. */
const statusOf = (e: EnvironmentRecord): string =>
  e.suspended && isSettled(e.status) ? 'STOPPED' : e.status;

/** Since when an environment has its status: as it was told before, else by the record. */
const sinceOf = (e: EnvironmentRecord, before: readonly EnvironmentFacts[], now: number): number => {
  const known = before.find(({ id }) => id === e.id);
  if (known) return known.status === statusOf(e) ? known.since : now;
  return e.status === 'CREATING' ? e.createdAt : e.lastUpdate.CreatedAt;
};

const lastErrorOf = (e: EnvironmentRecord): { lastError?: string } => {
  const text = e.lastUpdate.Error?.ErrorMessage ?? e.progress;
  return text === undefined ? {} : { lastError: text.slice(0, longestError) };
};

const contentOf = (content: LiveSummary | undefined): Pick<EnvironmentFacts, 'content'> => {
  if (content === undefined) return {};
  const { failed, fault, ...others } = content;
  return {
    content: {
      ...others,
      ...(failed === undefined ? {} : { failed }),
      ...(fault === undefined ? {} : { fault }),
    },
  };
};

/** An environment as `status.json` has it. */
export const environmentFacts = (
  e: EnvironmentRecord,
  o: {
    readonly before: readonly EnvironmentFacts[];
    readonly components: readonly ComponentStatus[];
    readonly content: LiveSummary | undefined;
    readonly roleFault: string | undefined;
    readonly now: number;
  },
): EnvironmentFacts => ({
  name: e.name,
  id: e.id,
  status: statusOf(e),
  since: sinceOf(e, o.before, o.now),
  airflowVersion: e.spec.AirflowVersion,
  ...(e.webserverHostname === undefined ? {} : { address: `https://${e.webserverHostname}` }),
  ...lastErrorOf(e),
  ...(o.roleFault === undefined ? {} : { roleFault: o.roleFault }),
  ...contentOf(o.content),
  components: o.components.map(componentOf),
});
