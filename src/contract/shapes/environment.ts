import { anyText, type StringShape, type StructureShape, structure, text } from '../shape.ts';
import { environmentStatuses } from '../statuses.ts';
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
  teams,
  webserverAccessMode,
  workerReplacementStrategy,
} from './members.ts';
import { tags } from './tags.ts';

/** The answer of GetEnvironment. */

const environmentStatus: StringShape = {
  kind: 'string',
  values: environmentStatuses,
};

const lastUpdate = structure({
  Status: { kind: 'string', values: ['SUCCESS', 'PENDING', 'FAILED'] },
  CreatedAt: { kind: 'timestamp' },
  Error: structure({ ErrorCode: anyText, ErrorMessage: text(1024, '.+') }),
  Source: text(256, '.+'),
  WorkerReplacementStrategy: workerReplacementStrategy,
});

const moduleLogging = structure({
  Enabled: { kind: 'boolean' },
  LogLevel: logLevel,
  CloudWatchLogGroupArn: text(1224, String.raw`arn:aws(-[a-z]+)?:logs:[a-z0-9\-]+:\d{12}:log-group:\w+.*`),
});

const vpcEndpointService = text(
  1224,
  String.raw`([a-z.-]+)?com\.amazonaws\.vpce\.[a-z0-9\-]+\.[a-zA-Z_0-9+=,.@\-_/]+`,
);

const environment = structure({
  Name: environmentName,
  Status: environmentStatus,
  Arn: environmentArnShape,
  CreatedAt: { kind: 'timestamp' },
  WebserverUrl: text(256, 'https://.+'),
  ExecutionRoleArn: iamRoleArn,
  ServiceRoleArn: iamRoleArn,
  KmsKey: kmsKey,
  AirflowVersion: airflowVersion,
  SourceBucketArn: bucketArn,
  DagS3Path: relativePath,
  PluginsS3Path: relativePath,
  PluginsS3ObjectVersion: objectVersion,
  RequirementsS3Path: relativePath,
  RequirementsS3ObjectVersion: objectVersion,
  StartupScriptS3Path: anyText,
  StartupScriptS3ObjectVersion: anyText,
  AirflowConfigurationOptions: airflowConfigurationOptions,
  EnvironmentClass: environmentClass,
  ...counts,
  NetworkConfiguration: networkConfiguration,
  LoggingConfiguration: structure(
    Object.fromEntries(Object.keys(loggingModules).map((module) => [module, moduleLogging])),
  ),
  LastUpdate: lastUpdate,
  WeeklyMaintenanceWindowStart: maintenanceWindow,
  Tags: tags,
  WebserverAccessMode: webserverAccessMode,
  WebserverVpcEndpointService: vpcEndpointService,
  DatabaseVpcEndpointService: vpcEndpointService,
  CeleryExecutorQueue: text(
    1224,
    String.raw`arn:aws(-[a-z]+)?:sqs:[a-z0-9\-]+:\d{12}:[a-zA-Z_0-9+=,.@\-_/]+`,
  ),
  EndpointManagement: endpointManagement,
  IdentityCenterConfiguration: identityCenterConfiguration,
  Teams: teams,
});

export const getEnvironmentOutput: StructureShape = structure({ Environment: environment });
