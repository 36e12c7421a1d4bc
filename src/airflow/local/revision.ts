import { createHash } from 'node:crypto';
import { pinnedFile, pinnedNames } from '../../environments/pinned-files.ts';
import type { EnvironmentRecord } from '../../environments/record.ts';
import { hasOwnPackages } from './own-packages.ts';

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

/** The same value whatever the order in which the members of an object were given. */
const ordered = (value: unknown): unknown =>
  typeof value === 'object' && value !== null
    ? Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, inner]) => [key, ordered(inner)])
    : value;

/** Nothing where it has no packages of its own: such environments go on as they were. */
const ownPartOf = (spec: EnvironmentRecord['spec']): readonly unknown[] =>
  hasOwnPackages(spec)
    ? [spec.SourceBucketArn, pinnedNames.map((name) => pinnedFile(spec, name) ?? null)]
    : [];

/**
 * Tells processes that were started with what is wanted from all others. `addresses` are those that the server gives them.
 */
export const revisionOf = ({ spec }: EnvironmentRecord, addresses: readonly unknown[]): string =>
  createHash('sha256')
    .update(
      JSON.stringify([...members.map((name) => ordered(spec[name] ?? null)), ...ownPartOf(spec), addresses]),
    )
    .digest('hex')
    .slice(0, 16);
