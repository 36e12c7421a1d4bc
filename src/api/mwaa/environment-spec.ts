import { createHash } from 'node:crypto';
import type { Checked } from '../../contract/constraints.ts';
import { loggingModules } from '../../contract/shapes/members.ts';
import { pinnedNames } from '../../environments/pinned-files.ts';
import type { EnvironmentSpec } from '../../environments/record.ts';
import { compareVersions } from '../../lib/version-order.ts';
import type { ApiDeps } from '../deps.ts';
import { stringMember } from '../operation.ts';
import { checkCustomDomain } from './custom-domain.ts';
import { countsOf } from './environment-counts.ts';
import { versionForCreate, versionForUpdate } from './environment-version.ts';
import { invalid } from './invalid.ts';
import { changedTeams, checkTeams, teamsOf } from './teams.ts';

const environmentClasses = ['mw1.micro', 'mw1.small', 'mw1.medium', 'mw1.large', 'mw1.xlarge', 'mw1.2xlarge'];

type SpecDeps = Pick<ApiDeps, 'airflowVersions' | 'quotas' | 'environmentFault' | 'customDomainFault'>;

const classOf = (given: unknown, deps: SpecDeps): string => {
  const name = typeof given === 'string' ? given : 'mw1.small';
  if (!environmentClasses.includes(name))
    throw invalid(`EnvironmentClass ${name} is not known. Use one of ${environmentClasses.join(', ')}.`);
  const fault = deps.environmentFault({ EnvironmentClass: name });
  if (fault !== undefined) throw invalid(fault);
  return name;
};

/** Task logs are on, the others off, as MWAA has it when nothing is said. */
const usualLogging = Object.fromEntries(
  Object.keys(loggingModules).map((module) => [module, { Enabled: module === 'TaskLogs', LogLevel: 'INFO' }]),
);

const objectOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? { ...value } : {};

const days = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'];

/** Spread over the week by the environment's id, on the hour or half past. */
const maintenanceWindowOf = (id: string): string => {
  const slot = createHash('sha256').update(id).digest().readUInt32BE(0) % (7 * 48);
  const hour = Math.floor((slot % 48) / 2);
  return `${days[Math.floor(slot / 48)]}:${String(hour).padStart(2, '0')}:${slot % 2 === 0 ? '00' : '30'}`;
};

/** Options that MWAA does not let anybody set (MWAA user guide, "Apache Airflow versions", 3.2). */
const refusedOptions = ['core.multi_team', 'triggerer.queues_enabled'];

const checkOptions = (options: unknown): void => {
  const refused = Object.keys(objectOf(options)).filter((name) => refusedOptions.includes(name));
  if (refused.length > 0)
    throw invalid(`AirflowConfigurationOptions cannot hold ${refused.join(' and ')}. Leave it out.`);
  for (const name of Object.keys(objectOf(options))) {
    if (!/^[^.]+\.[^.]+/.test(name))
      throw invalid(`The configuration option ${name} has no section. Name it like core.parallelism.`);
  }
};

const checkVersionsGiven = (input: Checked): void => {
  for (const name of pinnedNames) {
    const [path, version] = [`${name}S3Path`, `${name}S3ObjectVersion`];
    if (input[path] !== undefined && input[version] === undefined)
      throw invalid(`${path} was given without ${version}. Name the version of the file too.`);
    if (input[version] !== undefined && input[path] === undefined)
      throw invalid(`${version} was given without ${path}. Name the file too.`);
  }
};

/** Public and private at once needs Airflow 3.2 (API reference of CreateEnvironment). */
const checkAccessMode = (spec: EnvironmentSpec): EnvironmentSpec => {
  const both = spec['WebserverAccessMode'] === 'PUBLIC_AND_PRIVATE';
  if (both && compareVersions(spec.AirflowVersion, '3.2') < 0)
    throw invalid(`WebserverAccessMode PUBLIC_AND_PRIVATE needs AirflowVersion 3.2 or newer.`);
  return spec;
};

/** What only members together can break: how the environment is reached, and its teams. */
const checkTogether = (deps: SpecDeps, spec: EnvironmentSpec): EnvironmentSpec =>
  checkTeams(checkCustomDomain(checkAccessMode(spec), deps));

/**
 * The request as it was given, with what AWS fills in.
 * @throws AwsError ValidationException for what the model allows and the service does not: an unknown class or
 *   version, a count outside the class's range, an option that nobody may set
 */
export const newSpec = (input: Checked, id: string, deps: SpecDeps): EnvironmentSpec => {
  const EnvironmentClass = classOf(input['EnvironmentClass'], deps);
  checkOptions(input['AirflowConfigurationOptions']);
  checkVersionsGiven(input);
  return checkTogether(deps, {
    WebserverAccessMode: 'PRIVATE_ONLY',
    EndpointManagement: 'SERVICE',
    WeeklyMaintenanceWindowStart: maintenanceWindowOf(id),
    ...input,
    ...countsOf(input, EnvironmentClass, deps.quotas),
    EnvironmentClass,
    AirflowVersion: versionForCreate(input['AirflowVersion'], deps.airflowVersions),
    LoggingConfiguration: { ...usualLogging, ...objectOf(input['LoggingConfiguration']) },
    DagS3Path: stringMember(input, 'DagS3Path'),
    SourceBucketArn: stringMember(input, 'SourceBucketArn'),
    ExecutionRoleArn: stringMember(input, 'ExecutionRoleArn'),
  });
};

/**
 * What is wanted after an update: what was given over what was there. The options are replaced as a whole, of the
 * logs, the network and the teams only what was given.
 * @throws AwsError ValidationException as `newSpec` does
 */
export const changedSpec = (before: EnvironmentSpec, input: Checked, deps: SpecDeps): EnvironmentSpec => {
  const EnvironmentClass =
    input['EnvironmentClass'] === undefined
      ? before.EnvironmentClass
      : classOf(input['EnvironmentClass'], deps);
  checkOptions(input['AirflowConfigurationOptions']);
  checkVersionsGiven(input);
  const merged = (member: string) => ({ ...objectOf(before[member]), ...objectOf(input[member]) });
  return checkTogether(deps, {
    ...before,
    ...input,
    ...countsOf(input, EnvironmentClass, deps.quotas, before),
    EnvironmentClass,
    AirflowVersion: versionForUpdate(input['AirflowVersion'], before.AirflowVersion, deps.airflowVersions),
    LoggingConfiguration: merged('LoggingConfiguration'),
    NetworkConfiguration: merged('NetworkConfiguration'),
    Teams: changedTeams(teamsOf(before), objectOf(input['Teams'])),
  });
};
