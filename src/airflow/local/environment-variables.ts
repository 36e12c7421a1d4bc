import { join } from 'node:path';
import { roleCredentialsPath } from '../../contract/role-credentials.ts';
import type { RolesFrom } from '../../contract/roles-from.ts';
import type { EnvironmentRecord } from '../../environments/record.ts';
import type { Account } from '../../lib/process.ts';
import type { Base } from '../base.ts';
import { logLevelsOf } from '../logging.ts';
import { optionVariables, userOption } from '../user-options.ts';
import { type AirflowVersion, botocoreOf } from '../versions.ts';
import type { Places } from './places.ts';
import type { Seen } from './seen.ts';

export interface VariablesInput {
  readonly record: EnvironmentRecord;
  readonly version: AirflowVersion;
  readonly base: Base;
  readonly places: Places;
  readonly seen: Seen;
  /** Where the API of Windsock answers. */
  readonly endpoint: string | undefined;
  /** The account of the server that answers there. */
  readonly serverUid: number;
  readonly rolesFrom: RolesFrom;
  /** Secret. */
  readonly roleToken: () => string;
  readonly shim: string;
  readonly account: Account | undefined;
  readonly userName: string;
  readonly assertionIssuer: string;
  /** Account that serves PostgreSQL; libpq then checks it (requirepeer). */
  readonly databasePeer: string | undefined;
}

/**
 * Levels go by component; a level among the user's own options counts for all of them. Tasks are processes of the
 * scheduler: Airflow 2 is told their level by the shim's logging; Airflow 3 has one level, which is theirs, and (from
 * 3.2) another one for loggers by name, which are the scheduler's.
 */
const logVariables = (record: EnvironmentRecord, major: 2 | 3, component: string): Record<string, string> => {
  const older = major === 2 ? userOption(record, 'core', 'logging_level') : undefined;
  if ((userOption(record, 'logging', 'logging_level') ?? older) !== undefined) return {};
  const levels = logLevelsOf(record, component);
  if (major === 2)
    return { AIRFLOW__LOGGING__LOGGING_LEVEL: levels.component, WINDSOCK_TASK_LOG_LEVEL: levels.tasks };
  if (component !== 'scheduler') return { AIRFLOW__LOGGING__LOGGING_LEVEL: levels.component };
  const own = ['airflow.jobs', 'airflow.executors'].map((logger) => `${logger}=${levels.component}`);
  return {
    AIRFLOW__LOGGING__LOGGING_LEVEL: levels.tasks,
    AIRFLOW__LOGGING__NAMESPACE_LEVELS: own.join(' '),
  };
};

/** Marks what runs of an environment: the id alone would be that of a copy of its data folder too. */
export const environmentMark = (root: string): readonly [name: string, value: string] => [
  'WINDSOCK_ENVIRONMENT_FOLDER',
  root,
];

/**
 * On Amazon MWAA's smallest class one container is scheduler and worker. A scheduler's worker processes are told that
 * they are workers by the shim (sitecustomize.py).
 */
const mwaaComponent = (component: string, environmentClass: string): string => {
  if (component === 'webserver') return component;
  return environmentClass === 'mw1.micro' ? 'hybrid' : 'scheduler';
};

/** Services besides Amazon MWAA that are part of this installation, as the SDKs name them in AWS_ENDPOINT_URL_… */
const servedHere = ['S3', 'STS', 'IAM', 'CLOUDTRAIL'] as const;

/** botocore 1.31.17 reads the token from a variable only, 1.33.13 from a file too (botocore/credentials.py). */
const readsTokenFile = (version: AirflowVersion): boolean => {
  const [major, minor] = botocoreOf(version);
  return major > 1 || minor >= 33;
};

/**
 * The credentials of the execution role, as containers on AWS find theirs (AWS SDKs and Tools Reference Guide,
 * "Container credential provider"), and the services that they are good for. A role of the machine itself is not for DAGs.
 */
const roleVariables = (i: VariablesInput, port: string): Record<string, string> => {
  if (i.rolesFrom === 'nowhere') return {};
  // the shim checks who accepts a connection by IPv4
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    ...(i.rolesFrom === 'aws'
      ? {}
      : Object.fromEntries(servedHere.map((name) => [`AWS_ENDPOINT_URL_${name}`, endpoint]))),
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${endpoint}${roleCredentialsPath}`,
    ...(readsTokenFile(i.version)
      ? { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: i.places.roleToken }
      : { AWS_CONTAINER_AUTHORIZATION_TOKEN: i.roleToken() }),
    AWS_EC2_METADATA_DISABLED: 'true',
  };
};

/** Where the API is. The shim lets nothing be sent to it while another account holds its port. */
const apiVariables = (i: VariablesInput): Record<string, string> => {
  if (i.endpoint === undefined) return {};
  const { port } = new URL(i.endpoint);
  return {
    AWS_ENDPOINT_URL_MWAA: i.endpoint,
    WINDSOCK_API: `${port}:${i.serverUid}`,
    ...roleVariables(i, port),
  };
};

/** Whatever is not served here is AWS. The bundle has the public authorities too, so other addresses work as before. */
const towardsWindsock = (i: VariablesInput): Record<string, string> => ({
  ...apiVariables(i),
  AWS_CA_BUNDLE: i.places.caBundle,
  REQUESTS_CA_BUNDLE: i.places.caBundle,
  SSL_CERT_FILE: i.places.caBundle,
});

/**
 * The whole environment of an Airflow process: the user's options, over which Airflow's own file does not come, and
 * nothing of the server's own; no secret of Windsock's (those are in files, which /proc does not show) but the token of
 * the execution role where botocore reads it from nowhere else. Names as MWAA sets them where a DAG may read them.
 */
export const processVariables = (i: VariablesInput, component: string): Record<string, string> => ({
  ...logVariables(i.record, i.version.major, component),
  ...optionVariables(i.record),
  PATH: `${join(i.base.folder, 'bin')}:/usr/local/bin:/usr/bin:/bin`,
  LANG: 'C.UTF-8',
  LC_ALL: 'C.UTF-8',
  TZ: 'UTC',
  HOME: i.seen.home,
  USER: i.account?.name ?? i.userName,
  LOGNAME: i.account?.name ?? i.userName,
  TMPDIR: i.places.temporary,
  PYTHONPATH: i.shim,
  PYTHONUNBUFFERED: '1',
  PYTHONNOUSERSITE: '1',
  VIRTUAL_ENV: i.base.folder,
  AIRFLOW_HOME: i.seen.home,
  AIRFLOW_CONFIG: i.places.airflowConfig,
  AIRFLOW_ENV_NAME: i.record.name,
  AIRFLOW_ENV_ID: i.record.id,
  AIRFLOW_VERSION: i.version.version,
  AIRFLOW_CONN_AWS_DEFAULT: 'aws://',
  AWS_REGION: i.record.region,
  AWS_DEFAULT_REGION: i.record.region,
  CUSTOMER_ACCOUNT_ID: i.record.accountId,
  AWS_EXECUTION_ENV: `Amazon_MWAA_${i.version.version.replaceAll('.', '')}`,
  MWAA_AIRFLOW_COMPONENT: mwaaComponent(component, i.record.spec.EnvironmentClass),
  ...towardsWindsock(i),
  ...Object.fromEntries([environmentMark(i.places.root)]),
  WINDSOCK_ENVIRONMENT_ID: i.record.id,
  WINDSOCK_ASSERTION_KEYS: i.places.assertionKeys,
  WINDSOCK_READ_FILES: i.places.readFiles,
  WINDSOCK_ASSERTION_ISSUER: i.assertionIssuer,
  WINDSOCK_SIGN_IN_URL: '/aws_mwaa/aws-console-sso',
  WINDSOCK_SIGN_OUT_URL: '/aws_mwaa/sign-out',
  ...(i.databasePeer ? { PGREQUIREPEER: i.databasePeer } : {}),
  ...(i.version.major === 3 ? { FORWARDED_ALLOW_IPS: '127.0.0.1' } : {}),
});
