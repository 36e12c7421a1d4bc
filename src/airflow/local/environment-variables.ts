import { join } from 'node:path';
import type { EnvironmentRecord } from '../../environments/record.ts';
import type { Account } from '../../lib/process.ts';
import type { Base } from '../base.ts';
import { logLevelsOf } from '../logging.ts';
import { hasOption } from '../settings.ts';
import type { AirflowVersion } from '../versions.ts';
import type { Places } from './places.ts';

export interface VariablesInput {
  readonly record: EnvironmentRecord;
  readonly version: AirflowVersion;
  readonly base: Base;
  readonly places: Places;
  readonly shim: string;
  readonly account: Account | undefined;
  readonly userName: string;
  readonly assertionIssuer: string;
  /** Account that serves PostgreSQL; libpq then checks it (requirepeer). */
  readonly databasePeer: string | undefined;
}

/** Levels go by component; a level among the user's own options counts for all of them. */
const logVariables = (record: EnvironmentRecord, component: string): Record<string, string> => {
  if (hasOption(record, 'logging', 'logging_level')) return {};
  const levels = logLevelsOf(record, component);
  return { AIRFLOW__LOGGING__LOGGING_LEVEL: levels.component, WINDSOCK_TASK_LOG_LEVEL: levels.tasks };
};

/**
 * The whole environment of an Airflow process: nothing of the server's own, no secret (those are in airflow.cfg,
 * which /proc does not show). Names as MWAA sets them where a DAG may read them.
 */
export const processVariables = (i: VariablesInput, component: string): Record<string, string> => ({
  PATH: `${join(i.base.folder, 'bin')}:/usr/local/bin:/usr/bin:/bin`,
  LANG: 'C.UTF-8',
  LC_ALL: 'C.UTF-8',
  TZ: 'UTC',
  HOME: i.places.home,
  USER: i.account?.name ?? i.userName,
  LOGNAME: i.account?.name ?? i.userName,
  TMPDIR: i.places.temporary,
  PYTHONPATH: i.shim,
  PYTHONUNBUFFERED: '1',
  PYTHONNOUSERSITE: '1',
  VIRTUAL_ENV: i.base.folder,
  AIRFLOW_HOME: i.places.home,
  AIRFLOW_CONFIG: i.places.airflowConfig,
  AIRFLOW_ENV_NAME: i.record.name,
  AIRFLOW_ENV_ID: i.record.id,
  AIRFLOW_CONN_AWS_DEFAULT: 'aws://',
  AWS_REGION: i.record.region,
  AWS_DEFAULT_REGION: i.record.region,
  AWS_EXECUTION_ENV: `Amazon_MWAA_${i.version.version.replaceAll('.', '')}`,
  MWAA_AIRFLOW_COMPONENT: component,
  WINDSOCK_ENVIRONMENT_ID: i.record.id,
  WINDSOCK_ASSERTION_KEYS: i.places.assertionKeys,
  WINDSOCK_ASSERTION_ISSUER: i.assertionIssuer,
  WINDSOCK_SIGN_IN_URL: '/aws_mwaa/aws-console-sso',
  WINDSOCK_SIGN_OUT_URL: '/aws_mwaa/sign-out',
  ...logVariables(i.record, component),
  ...(i.databasePeer ? { PGREQUIREPEER: i.databasePeer } : {}),
  ...(i.version.major === 3 ? { FORWARDED_ALLOW_IPS: '127.0.0.1' } : {}),
});
