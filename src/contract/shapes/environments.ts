import { type Shape, type StructureShape, structure } from '../shape.ts';
import {
  airflowConfigurationOptions,
  airflowVersion,
  bucketArn,
  counts,
  endpointManagement,
  environmentArnShape,
  environmentClass,
  environmentName,
  iamRoleArn,
  identityCenterConfiguration,
  kmsKey,
  loggingModules,
  logLevel,
  maintenanceWindow,
  networkConfiguration,
  objectVersion,
  relativePath,
  securityGroupIds,
  teams,
  updateTeams,
  webserverAccessMode,
  workerReplacementStrategy,
} from './members.ts';
import { tags } from './tags.ts';

/** The requests about environments, and the short answers. */

const moduleLogging = structure({ Enabled: { kind: 'boolean' }, LogLevel: logLevel }, [
  'Enabled',
  'LogLevel',
]);

/** What can be given at creation and be changed later. */
const changeable: Readonly<Record<string, Shape>> = {
  ExecutionRoleArn: iamRoleArn,
  SourceBucketArn: bucketArn,
  DagS3Path: relativePath,
  PluginsS3Path: relativePath,
  PluginsS3ObjectVersion: objectVersion,
  RequirementsS3Path: relativePath,
  RequirementsS3ObjectVersion: objectVersion,
  StartupScriptS3Path: relativePath,
  StartupScriptS3ObjectVersion: objectVersion,
  AirflowConfigurationOptions: airflowConfigurationOptions,
  EnvironmentClass: environmentClass,
  AirflowVersion: airflowVersion,
  ...counts,
  LoggingConfiguration: structure(
    Object.fromEntries(Object.keys(loggingModules).map((module) => [module, moduleLogging])),
  ),
  WeeklyMaintenanceWindowStart: maintenanceWindow,
  WebserverAccessMode: webserverAccessMode,
  IdentityCenterConfiguration: identityCenterConfiguration,
};

export const createEnvironmentInput: StructureShape = structure(
  {
    Name: environmentName,
    ...changeable,
    NetworkConfiguration: networkConfiguration,
    EndpointManagement: endpointManagement,
    KmsKey: kmsKey,
    Tags: tags,
    Teams: teams,
  },
  ['Name', 'ExecutionRoleArn', 'SourceBucketArn', 'DagS3Path', 'NetworkConfiguration'],
);

/** Subnets, key, endpoint management and tags cannot be changed with it. */
export const updateEnvironmentInput: StructureShape = structure(
  {
    Name: environmentName,
    ...changeable,
    NetworkConfiguration: structure({ SecurityGroupIds: securityGroupIds }, ['SecurityGroupIds']),
    WorkerReplacementStrategy: workerReplacementStrategy,
    Teams: updateTeams,
  },
  ['Name'],
);

/** Request of GetEnvironment, DeleteEnvironment, CreateCliToken and CreateWebLoginToken. */
export const environmentNameInput: StructureShape = structure({ Name: environmentName }, ['Name']);

/** Answer of CreateEnvironment and UpdateEnvironment. */
export const environmentArnOutput: StructureShape = structure({ Arn: environmentArnShape });

const nextToken: Shape = { kind: 'string', min: 0, max: 2048 };

export const listEnvironmentsInput: StructureShape = structure({
  NextToken: nextToken,
  MaxResults: { kind: 'integer', min: 1, max: 25 },
});

export const listEnvironmentsOutput: StructureShape = structure(
  { Environments: { kind: 'list', member: environmentName }, NextToken: nextToken },
  ['Environments'],
);

/** Answer of the operations that say nothing but that they are done. */
export const emptyOutput: StructureShape = structure({});
