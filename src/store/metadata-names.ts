import type { EnvironmentId } from '../environments/record.ts';

/** Databases and roles of PostgreSQL that belong to one environment. */
export const databaseOf = (id: EnvironmentId): string => `airflow_${id}`;
export const roleOf = (id: EnvironmentId): string => `environment_${id}`;
/** The role of an environment that is gone, while something still keeps it. */
export const goneRoles = 'gone_';
export const goneOf = (id: EnvironmentId): string => `${goneRoles}${id}`;
/** The finished copy from before an update. */
export const snapshotOf = (id: EnvironmentId): string => `snapshot_${id}`;
/** A copy that may not be whole. */
export const copyingOf = (id: EnvironmentId): string => `copying_${id}`;

export const databasesOf = (id: EnvironmentId): readonly string[] => [
  databaseOf(id),
  snapshotOf(id),
  copyingOf(id),
];
