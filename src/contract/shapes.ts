/** The MWAA model (botocore mwaa/2020-07-01) as data; `constraints.ts` checks values against it. */
export type Shape = StringShape | IntegerShape | BooleanShape | ListShape | MapShape | StructureShape;

export interface StringShape {
  readonly kind: 'string';
  readonly min?: number;
  readonly max?: number;
  /** Must match the whole string. */
  readonly pattern?: string;
  readonly values?: readonly string[];
}
export interface IntegerShape {
  readonly kind: 'integer';
  readonly min?: number;
  readonly max?: number;
}
export interface BooleanShape {
  readonly kind: 'boolean';
}
export interface ListShape {
  readonly kind: 'list';
  readonly member: StringShape;
  readonly min?: number;
  readonly max?: number;
}
export interface MapShape {
  readonly kind: 'map';
  readonly key: StringShape;
  readonly value: StringShape;
  readonly min?: number;
  readonly max?: number;
  /** Never echoed in an error nor written to the audit log. */
  readonly sensitive?: boolean;
}
export interface StructureShape {
  readonly kind: 'structure';
  readonly required: readonly string[];
  readonly members: Readonly<Record<string, Shape>>;
}

const text = (max: number, pattern?: string): StringShape => ({
  kind: 'string',
  min: 1,
  max,
  ...(pattern === undefined ? {} : { pattern }),
});
const atLeast = (min: number): IntegerShape => ({ kind: 'integer', min });
const oneOf = (...values: readonly string[]): StringShape => ({ kind: 'string', values });

const environmentName: StringShape = text(80, '[a-zA-Z][0-9a-zA-Z-_]*');
const iamRoleArn = text(1224, String.raw`arn:aws(-[a-z]+)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`);
const relativePath = text(1024, '.*');
const objectVersion = text(1024);

const networkConfiguration: StructureShape = {
  kind: 'structure',
  required: [],
  members: {
    SubnetIds: { kind: 'list', member: text(1024, String.raw`subnet-[a-zA-Z0-9\-._]+`), min: 2, max: 2 },
    SecurityGroupIds: { kind: 'list', member: text(1024, String.raw`sg-[a-zA-Z0-9\-._]+`), min: 1, max: 5 },
  },
};

const moduleLogging: StructureShape = {
  kind: 'structure',
  required: ['Enabled', 'LogLevel'],
  members: { Enabled: { kind: 'boolean' }, LogLevel: oneOf('CRITICAL', 'ERROR', 'WARNING', 'INFO', 'DEBUG') },
};

/** The five modules of LoggingConfiguration with the name each has in its log group. */
export const loggingModules = {
  DagProcessingLogs: 'DAGProcessing',
  SchedulerLogs: 'Scheduler',
  WebserverLogs: 'WebServer',
  WorkerLogs: 'Worker',
  TaskLogs: 'Task',
} as const;

const loggingConfiguration: StructureShape = {
  kind: 'structure',
  required: [],
  members: Object.fromEntries(Object.keys(loggingModules).map((module) => [module, moduleLogging])),
};

const tagPattern = String.raw`([\p{L}\p{Z}\p{N}_.:/=+\-@]*)`;

/** Request of CreateEnvironment. */
export const createEnvironmentInput: StructureShape = {
  kind: 'structure',
  required: ['Name', 'ExecutionRoleArn', 'SourceBucketArn', 'DagS3Path', 'NetworkConfiguration'],
  members: {
    Name: environmentName,
    ExecutionRoleArn: iamRoleArn,
    SourceBucketArn: text(1224, String.raw`arn:aws(-[a-z]+)?:s3:::[a-z0-9.\-]+`),
    DagS3Path: relativePath,
    PluginsS3Path: relativePath,
    PluginsS3ObjectVersion: objectVersion,
    RequirementsS3Path: relativePath,
    RequirementsS3ObjectVersion: objectVersion,
    StartupScriptS3Path: relativePath,
    StartupScriptS3ObjectVersion: objectVersion,
    AirflowConfigurationOptions: {
      kind: 'map',
      key: text(64, '[a-z]+([a-z0-9._]*[a-z0-9_]+)?'),
      value: text(65536, '[ -~]+'),
      sensitive: true,
    },
    EnvironmentClass: text(1024),
    AirflowVersion: text(32, '[0-9a-z.]+'),
    MinWorkers: atLeast(1),
    MaxWorkers: atLeast(1),
    MinWebservers: atLeast(1),
    MaxWebservers: atLeast(1),
    Schedulers: { kind: 'integer', max: 5 },
    NetworkConfiguration: networkConfiguration,
    LoggingConfiguration: loggingConfiguration,
    WeeklyMaintenanceWindowStart: text(
      9,
      String.raw`.*(MON|TUE|WED|THU|FRI|SAT|SUN):([01]\d|2[0-3]):(00|30).*`,
    ),
    WebserverAccessMode: oneOf('PRIVATE_ONLY', 'PUBLIC_ONLY', 'PUBLIC_AND_PRIVATE'),
    EndpointManagement: oneOf('CUSTOMER', 'SERVICE'),
    KmsKey: text(
      1224,
      String.raw`(((arn:aws(-[a-z]+)?:kms:[-a-z0-9]+:\d{12}:)?key/)?(mrk-[a-f0-9]{32}|[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}))|((arn:aws(-[a-z]+)?:kms:[-a-z0-9]+:\d{12}:)?alias/.+)`,
    ),
    Tags: {
      kind: 'map',
      key: text(128, tagPattern),
      value: text(256, tagPattern),
      min: 1,
      max: 50,
    },
  },
};

/** Request of GetEnvironment, DeleteEnvironment, CreateCliToken and CreateWebLoginToken. */
export const environmentNameInput: StructureShape = {
  kind: 'structure',
  required: ['Name'],
  members: { Name: environmentName },
};

/** Request of ListEnvironments. */
export const listEnvironmentsInput: StructureShape = {
  kind: 'structure',
  required: [],
  members: {
    NextToken: { kind: 'string', min: 0, max: 2048 },
    MaxResults: { kind: 'integer', min: 1, max: 25 },
  },
};
