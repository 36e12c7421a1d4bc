import {
  anyText,
  atLeast,
  type MapShape,
  maybeEmpty,
  oneOf,
  type StringShape,
  structure,
  text,
} from '../shape.ts';

/** Members that requests and answers share. */

export const environmentName = text(80, '[a-zA-Z][0-9a-zA-Z-_]*');

export const environmentArnShape = text(
  1224,
  String.raw`arn:aws(-[a-z]+)?:airflow:[a-z0-9\-]+:\d{12}:environment/\w+.*`,
);

export const iamRoleArn = text(1224, String.raw`arn:aws(-[a-z]+)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`);
export const bucketArn = text(1224, String.raw`arn:aws(-[a-z]+)?:s3:::[a-z0-9.\-]+`);
export const relativePath = maybeEmpty(1024, '.*');
export const objectVersion = maybeEmpty(1024);

export const airflowConfigurationOptions: MapShape = {
  kind: 'map',
  key: text(64, '[a-z]+([a-z0-9._]*[a-z0-9_]+)?'),
  value: { ...text(65536, '[ -~]+'), sensitive: true },
  sensitive: true,
};

export const environmentClass = text(1024);
export const airflowVersion = text(32, '[0-9a-z.]+');

/** How many of each, in the model's own limits; the classes have narrower ones. */
export const counts = {
  MinWorkers: atLeast(1),
  MaxWorkers: atLeast(1),
  MinWebservers: atLeast(1),
  MaxWebservers: atLeast(1),
  Schedulers: { kind: 'integer', max: 5 },
} as const;

export const securityGroupIds = {
  kind: 'list',
  member: text(1024, String.raw`sg-[a-zA-Z0-9\-._]+`),
  min: 1,
  max: 5,
} as const;

export const networkConfiguration = structure({
  SubnetIds: { kind: 'list', member: text(1024, String.raw`subnet-[a-zA-Z0-9\-._]+`), min: 2, max: 2 },
  SecurityGroupIds: securityGroupIds,
});

export const logLevel = oneOf('CRITICAL', 'ERROR', 'WARNING', 'INFO', 'DEBUG');

/** The five modules of LoggingConfiguration with the name each has in its log group. */
export const loggingModules = {
  DagProcessingLogs: 'DAGProcessing',
  SchedulerLogs: 'Scheduler',
  WebserverLogs: 'WebServer',
  WorkerLogs: 'Worker',
  TaskLogs: 'Task',
} as const;

export const maintenanceWindow = text(
  9,
  String.raw`.*(MON|TUE|WED|THU|FRI|SAT|SUN):([01]\d|2[0-3]):(00|30).*`,
);
export const webserverAccessMode = oneOf('PRIVATE_ONLY', 'PUBLIC_ONLY', 'PUBLIC_AND_PRIVATE');
export const endpointManagement = oneOf('CUSTOMER', 'SERVICE');
export const workerReplacementStrategy = oneOf('FORCED', 'GRACEFUL');

export const kmsKey = text(
  1224,
  String.raw`(((arn:aws(-[a-z]+)?:kms:[a-z]{2}-[a-z]+-\d:\d+:)?key\/)?[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}|(arn:aws(-[a-z]+)?:kms:[a-z]{2}-[a-z]+-\d:\d+:)?alias/.+)`,
);

export const identityCenterConfiguration = structure({
  StartUrl: text(512, 'https://.+'),
  IdentityStoreId: text(
    36,
    '.*d-[0-9a-f]{10}$|^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}.*',
  ),
});

const teamName: StringShape = { ...text(50, '[a-zA-Z0-9][a-zA-Z0-9_-]*'), min: 3 };

/** Of one environment. */
export const maxTeams = 20;

export const teams: MapShape = {
  kind: 'map',
  key: teamName,
  value: structure({ SourceBucketArn: bucketArn, DagS3Path: relativePath }, ['SourceBucketArn', 'DagS3Path']),
  min: 1,
  max: maxTeams,
};

export const updateTeams = structure({
  AddOrUpdate: teams,
  Remove: { kind: 'list', member: teamName, min: 1, max: maxTeams },
});

/** A host name of RFC 1123. */
export const hostname = text(
  255,
  String.raw`(([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\-]*[a-zA-Z0-9])\.)*([A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9\-]*[A-Za-z0-9])`,
);

export const secretText: StringShape = { ...anyText, sensitive: true };
