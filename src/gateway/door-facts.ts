import type { EnvironmentRecord } from '../environments/record.ts';
import type { Way } from './ways.ts';

/** What the door of one environment knows without asking. */
export interface DoorFacts {
  readonly id: string;
  readonly name: string;
  /** `localhost:7443`. */
  readonly hostname: string;
  /** The same of every name by which the environment answers. */
  readonly hostnames: readonly string[];
  /** `https://localhost:7443`: the only origin whose pages may act here. */
  readonly origin: string;
  readonly airflow: 2 | 3;
  /** How those come in who are served with these facts. */
  readonly way: Way;
  readonly record: EnvironmentRecord;
}

/** The fields of a log line that say which environment it is about. */
export const environmentOf = (door: DoorFacts) => ({ environment: door.name, environmentId: door.id });

export const doorFacts = (
  record: EnvironmentRecord,
  hostname: string,
  way: Way,
  hostnames: readonly string[] = [hostname],
): DoorFacts => ({
  id: record.id,
  name: record.name,
  hostname,
  hostnames,
  origin: `https://${hostname}`,
  airflow: record.spec.AirflowVersion.startsWith('2.') ? 2 : 3,
  way,
  record,
});
