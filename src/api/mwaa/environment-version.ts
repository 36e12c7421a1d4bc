import { endedVersions } from '../../contract/airflow-versions.ts';
import { compareVersions } from '../../lib/version-order.ts';
import { invalid } from './invalid.ts';

const majorOf = (version: string): number => Number(version.split('.')[0]);

const newestOf = (versions: readonly string[], series: string): string | undefined =>
  versions
    .filter((version) => version.startsWith(series))
    .toSorted(compareVersions)
    .at(-1);

const checkAvailable = (version: string, versions: readonly string[]): void => {
  if (versions.includes(version)) return;
  const use = `Use one of ${versions.join(', ')}.`;
  if (endedVersions.includes(version))
    throw invalid(
      `The support of AirflowVersion ${version} has ended: it cannot be created or updated to. ${use}`,
    );
  throw invalid(`AirflowVersion ${version} is not available. ${use}`);
};

/** The version of a new environment: the one asked for, else the newest. @throws AwsError ValidationException */
export const versionForCreate = (given: unknown, versions: readonly string[]): string => {
  const version = typeof given === 'string' ? given : (versions.at(-1) ?? '');
  checkAvailable(version, versions);
  return version;
};

/** The last release line of Airflow 2: the only one with a way to Airflow 3 and back (MWAA user guide, "Upgrading"). */
const lastOf2 = '2.11.';

const checkMajor = (from: string, to: string, versions: readonly string[]): void => {
  const bridge = newestOf(versions, lastOf2);
  const refused = (text: string) =>
    invalid(`An environment cannot be updated from AirflowVersion ${from} to ${to}. ${text}`);
  if (majorOf(from) < majorOf(to) && from !== bridge)
    throw refused(
      bridge === undefined ? 'No version leads from one to the other here.' : `Update it to ${bridge} first.`,
    );
  if (majorOf(from) > majorOf(to) && !to.startsWith(lastOf2))
    throw refused(
      bridge === undefined
        ? 'No version leads from one to the other here.'
        : `Airflow 3 goes back to ${bridge} only.`,
    );
};

/**
 * The version after an update. One that has ended keeps running and is updated in place otherwise.
 * @throws AwsError ValidationException for a version that cannot be reached
 */
export const versionForUpdate = (given: unknown, from: string, versions: readonly string[]): string => {
  if (typeof given !== 'string' || given === from) return from;
  checkAvailable(given, versions);
  if (majorOf(given) !== majorOf(from)) checkMajor(from, given, versions);
  return given;
};
