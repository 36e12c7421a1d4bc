import { createHash } from 'node:crypto';
import type { EnvironmentRecord } from '../../environments/record.ts';

/** The members of an environment that its processes are started with: a change of another one needs no restart. */
const members = [
  'AirflowVersion',
  'AirflowConfigurationOptions',
  'EnvironmentClass',
  'MinWorkers',
  'MaxWorkers',
  'Schedulers',
  'MinWebservers',
  'MaxWebservers',
  'LoggingConfiguration',
] as const;

/** What it has of its own, where it has: environments without go on as they were. */
const ownMembers = [
  'RequirementsS3Path',
  'RequirementsS3ObjectVersion',
  'PluginsS3Path',
  'PluginsS3ObjectVersion',
] as const;

/** The same value whatever the order in which the members of an object were given. */
const ordered = (value: unknown): unknown =>
  typeof value === 'object' && value !== null
    ? Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, inner]) => [key, ordered(inner)])
    : value;

const ownPartOf = (spec: EnvironmentRecord['spec']): readonly unknown[] => {
  const given = ownMembers.filter((name) => spec[name] !== undefined && spec[name] !== '');
  return given.length === 0 ? [] : [given.map((name) => [name, spec[name]]), spec.SourceBucketArn];
};

/** Tells processes that were started with what is wanted from all others. */
export const revisionOf = ({ spec }: EnvironmentRecord): string =>
  createHash('sha256')
    .update(JSON.stringify([...members.map((name) => ordered(spec[name] ?? null)), ...ownPartOf(spec)]))
    .digest('hex')
    .slice(0, 16);
