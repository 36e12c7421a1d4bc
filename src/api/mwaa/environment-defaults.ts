import { createHash } from 'node:crypto';
import type { Checked } from '../../contract/constraints.ts';
import { validationException } from '../../contract/errors.ts';
import { loggingModules } from '../../contract/shapes/members.ts';
import type { EnvironmentSpec } from '../../environments/record.ts';
import { stringMember } from '../operation.ts';

/** How many of each the classes take (MWAA guide, "Environment class"; API reference of CreateEnvironment). */
const microCounts = { MinWorkers: 1, MaxWorkers: 1, Schedulers: 1, MinWebservers: 1, MaxWebservers: 1 };
const usualCounts = { MinWorkers: 1, MaxWorkers: 10, Schedulers: 2, MinWebservers: 2, MaxWebservers: 2 };
const usualLimits = {
  MinWorkers: [1, 25],
  MaxWorkers: [1, 25],
  Schedulers: [2, 5],
  MinWebservers: [2, 5],
  MaxWebservers: [2, 5],
} as const;
type Count = keyof typeof usualCounts;

const environmentClasses = ['mw1.micro', 'mw1.small', 'mw1.medium', 'mw1.large', 'mw1.xlarge', 'mw1.2xlarge'];

const invalid = (text: string) => validationException(`Invalid request provided: ${text}`);

const classOf = (input: Checked): string => {
  const name = typeof input['EnvironmentClass'] === 'string' ? input['EnvironmentClass'] : 'mw1.small';
  if (environmentClasses.includes(name)) return name;
  throw invalid(`EnvironmentClass ${name} is not known. Use one of ${environmentClasses.join(', ')}.`);
};

/** A minimum above the default maximum lifts that maximum. */
const countsOf = (input: Checked, environmentClass: string): Record<Count, number> => {
  const micro = environmentClass === 'mw1.micro';
  const counts = { ...(micro ? microCounts : usualCounts) };
  for (const name of Object.keys(counts) as Count[]) {
    const given = input[name];
    if (typeof given !== 'number') continue;
    const [low, high] = micro ? [1, 1] : usualLimits[name];
    if (given < low || given > high) {
      const range = low === high ? `${low}` : `from ${low} to ${high}`;
      throw invalid(`${name} must be ${range} for ${environmentClass}, not ${given}.`);
    }
    counts[name] = given;
  }
  if (input['MaxWorkers'] === undefined) counts.MaxWorkers = Math.max(counts.MaxWorkers, counts.MinWorkers);
  if (input['MaxWebservers'] === undefined) {
    counts.MaxWebservers = Math.max(counts.MaxWebservers, counts.MinWebservers);
  }
  return counts;
};

const checkOrder = (counts: Record<Count, number>): void => {
  if (counts.MinWorkers > counts.MaxWorkers) {
    throw invalid(`MinWorkers (${counts.MinWorkers}) is greater than MaxWorkers (${counts.MaxWorkers}).`);
  }
  if (counts.MinWebservers > counts.MaxWebservers) {
    throw invalid(
      `MinWebservers (${counts.MinWebservers}) is greater than MaxWebservers (${counts.MaxWebservers}).`,
    );
  }
};

const versionOf = (input: Checked, versions: readonly string[]): string => {
  const given = input['AirflowVersion'];
  const version = typeof given === 'string' ? given : versions.at(-1);
  if (version !== undefined && versions.includes(version)) return version;
  throw invalid(`AirflowVersion ${version} is not available. Use one of ${versions.join(', ')}.`);
};

/** Task logs are on, the others off, as MWAA has it when nothing is said. */
const loggingOf = (given: unknown): Record<string, unknown> => {
  const modules = typeof given === 'object' && given !== null ? { ...given } : {};
  const defaults = Object.keys(loggingModules).map((module) => [
    module,
    { Enabled: module === 'TaskLogs', LogLevel: 'INFO' },
  ]);
  return { ...Object.fromEntries(defaults), ...modules };
};

const days = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'];

/** Spread over the week by the environment's id, on the hour or half past. */
const maintenanceWindowOf = (id: string): string => {
  const slot = createHash('sha256').update(id).digest().readUInt32BE(0) % (7 * 48);
  const hour = Math.floor((slot % 48) / 2);
  return `${days[Math.floor(slot / 48)]}:${String(hour).padStart(2, '0')}:${slot % 2 === 0 ? '00' : '30'}`;
};

/**
 * The request as it was given, with what AWS fills in. Throws ValidationException for what the model allows
 * and the service does not: an unknown class or version, a count outside the class's range.
 */
export const withDefaults = (input: Checked, id: string, versions: readonly string[]): EnvironmentSpec => {
  const EnvironmentClass = classOf(input);
  const counts = countsOf(input, EnvironmentClass);
  checkOrder(counts);
  return {
    WebserverAccessMode: 'PRIVATE_ONLY',
    EndpointManagement: 'SERVICE',
    WeeklyMaintenanceWindowStart: maintenanceWindowOf(id),
    ...input,
    ...counts,
    EnvironmentClass,
    AirflowVersion: versionOf(input, versions),
    LoggingConfiguration: loggingOf(input['LoggingConfiguration']),
    DagS3Path: stringMember(input, 'DagS3Path'),
    SourceBucketArn: stringMember(input, 'SourceBucketArn'),
    ExecutionRoleArn: stringMember(input, 'ExecutionRoleArn'),
  };
};
