import type { EnvironmentRecord } from '../environments/record.ts';
import type { Way } from './ways.ts';

/** What the door of one environment knows without asking. */
export interface DoorFacts {
  readonly id: string;
  readonly name: string;
  /** `localhost:7443`. */
  readonly hostname: string;
  /** The same of every name by which the environment answers; asked for redirects only. */
  readonly hostnames: () => readonly string[];
  /** `https://localhost:7443`: the only origin whose pages may act here. */
  readonly origin: string;
  /** Nothing but Windsock answers by this name, so that browsers may be told to use TLS for it always (RFC 6797). */
  readonly isOwnName: boolean;
  readonly airflow: 2 | 3;
  /** How those come in who are served with these facts. */
  readonly way: Way;
  readonly record: EnvironmentRecord;
}

/** The fields of a log line that say which environment it is about. */
export const environmentOf = (door: DoorFacts) => ({ environment: door.name, environmentId: door.id });

type Found = Pick<DoorFacts, 'record' | 'hostname' | 'hostnames' | 'way' | 'isOwnName'>;

export const doorFacts = ({ record, hostname, ...found }: Found): DoorFacts => ({
  ...found,
  record,
  id: record.id,
  name: record.name,
  hostname,
  origin: `https://${hostname}`,
  airflow: record.spec.AirflowVersion.startsWith('2.') ? 2 : 3,
});
