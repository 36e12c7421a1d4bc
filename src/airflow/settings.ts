import { cpus } from 'node:os';
import type { EnvironmentRecord } from '../environments/record.ts';
import { type Processes, processesFor, sizesOf } from './classes.ts';
import { userOption, userOptions } from './user-options.ts';
import type { AirflowVersion } from './versions.ts';

/** `[section] key = value`, as in airflow.cfg. */
export type Options = Record<string, Record<string, string | number | boolean>>;

export interface EnvironmentPaths {
  readonly dags: string;
  readonly logs: string;
  readonly plugins: string;
  readonly webserverConfig: string;
}

export interface EnvironmentSecrets {
  readonly databasePassword: string;
  readonly fernetKey: string;
  readonly secretKey: string;
  readonly jwtSecret: string;
}

export interface ConfigurationInput {
  readonly version: AirflowVersion;
  readonly record: EnvironmentRecord;
  readonly paths: EnvironmentPaths;
  readonly secrets: EnvironmentSecrets;
  readonly sqlAlchemyUrl: string;
  /** Where the door answers: `https://localhost:7443`. */
  readonly publicUrl: string;
  readonly webPort: number;
  /** Files that may define DAGs. */
  readonly dagFiles: number;
}

/**
 * Seconds after which a DAG file of which nothing changed is read again, which only a file that asks the clock or a
 * network needs. MWAA's 30, and more for many files: reading one takes some 0.06 s of a core, and together they take at
 * most a fifth of one.
 */
const readAgainAfter = (dagFiles: number): number => Math.max(30, Math.ceil(dagFiles * 0.3));

/** What runs of an environment on this machine. */
export const processesOf = (record: EnvironmentRecord, v: AirflowVersion): Processes =>
  processesFor(v.major, sizesOf(record.spec), cpus().length);

/**
 * What an environment starts from; the user's options come over it. MWAA's own choices (its images,
 * setup_environment.py, "opinionated") but one: tasks are forked, not started as new interpreters, which takes
 * seconds of a core each.
 */
const defaults = (
  v: AirflowVersion,
  i: ConfigurationInput,
  { parallelism, parsing, web }: Processes,
): Options => ({
  core: {
    parallelism,
    // a second change within the interval would be seen at the next parse only, half a minute later
    min_serialized_dag_update_interval: 0,
    min_serialized_dag_fetch_interval: 2,
    sensitive_var_conn_names: 'proxy,proxies',
  },
  scheduler: {
    parsing_processes: parsing,
    dag_dir_list_interval: 5,
    ...(v.major === 2 ? { min_file_process_interval: readAgainAfter(i.dagFiles) } : {}),
    max_tis_per_query: Math.min(parallelism, 16),
    schedule_after_task_execution: false,
    task_queued_timeout: '1800.0',
  },
  usage_data_collection: { enabled: false },
  ...(v.major === 2
    ? { webserver: { workers: web, worker_refresh_interval: 0, instance_name: i.record.name } }
    : {
        api: { workers: web, instance_name: i.record.name },
        dag_processor: {
          parsing_processes: parsing,
          refresh_interval: 5,
          bundle_refresh_check_interval: 2,
          min_file_process_interval: readAgainAfter(i.dagFiles),
        },
        execution_api: { jwt_expiration_time: 86_400 },
      }),
});

const essentialOf2 = (i: ConfigurationInput): Options => ({
  webserver: {
    base_url: i.publicUrl,
    web_server_host: '127.0.0.1',
    web_server_port: i.webPort,
    secret_key: i.secrets.secretKey,
    config_file: i.paths.webserverConfig,
    enable_proxy_fix: true,
    cookie_secure: true,
    cookie_samesite: 'Lax',
    reload_on_plugin_change: false,
    expose_config: 'non-sensitive-only',
  },
  api: { auth_backends: 'airflow.api.auth.backend.session' },
  logging: { logging_config_class: 'windsock_logging.LOGGING_CONFIG' },
});

const essentialOf3 = (i: ConfigurationInput): Options => ({
  core: {
    // Airflow syncs the access_control of DAGs only when it reads FabAuthManager here
    auth_manager: 'windsock_shim.GatewayFabAuthManager',
    execution_api_server_url: `http://127.0.0.1:${i.webPort}/execution/`,
    multi_team: false,
  },
  api: {
    host: '127.0.0.1',
    port: i.webPort,
    base_url: i.publicUrl,
    secret_key: i.secrets.secretKey,
    expose_config: 'non-sensitive-only',
  },
  api_auth: { jwt_secret: i.secrets.jwtSecret },
  fab: {
    config_file: i.paths.webserverConfig,
    enable_proxy_fix: true,
    cookie_secure: true,
    cookie_samesite: 'Lax',
  },
});

/** What no user option may change, each of it in protected-options.ts: identity, addresses, databases, keys. */
const essential = (v: AirflowVersion, i: ConfigurationInput): Options =>
  merge(v.major === 2 ? essentialOf2(i) : essentialOf3(i), {
    core: {
      dags_folder: i.paths.dags,
      plugins_folder: i.paths.plugins,
      executor: 'LocalExecutor',
      load_examples: false,
      fernet_key: i.secrets.fernetKey,
      hostname_callable: 'windsock_shim.loopback_name',
    },
    database: { sql_alchemy_conn: i.sqlAlchemyUrl, check_migrations: false },
    logging: { base_log_folder: i.paths.logs },
  });

const merge = (...layers: readonly Options[]): Options => {
  const merged: Options = {};
  for (const layer of layers) {
    for (const [section, values] of Object.entries(layer))
      merged[section] = { ...merged[section], ...values };
  }
  return merged;
};

const optionsOfUser = (record: EnvironmentRecord): Options =>
  merge(...userOptions(record).map(({ section, key, value }) => ({ [section]: { [key]: value } })));

/** Tasks that run at once: the user's own `core.parallelism` where it is a number, else what the sizes say. */
export const parallelismOf = (record: EnvironmentRecord, v: AirflowVersion): number => {
  const given = Number(userOption(record, 'core', 'parallelism'));
  return Number.isInteger(given) && given > 0 ? given : processesOf(record, v).parallelism;
};

/** MWAA's own option `mwaa.triggerer_enabled`: True unless it is said otherwise. */
export const hasTriggerer = (record: EnvironmentRecord): boolean =>
  userOption(record, 'mwaa', 'triggerer_enabled')?.toLowerCase() !== 'false';

const written = (value: string | number | boolean): string => {
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  // ConfigParser's interpolation reads a single % as a reference.
  return String(value).replaceAll('%', '%%');
};

/** The text of an airflow.cfg. */
const configurationText = (options: Options): string =>
  Object.entries(options)
    .map(([section, values]) => {
      const lines = Object.entries(values).map(([key, value]) => `${key} = ${written(value)}\n`);
      return `[${section}]\n${lines.join('')}\n`;
    })
    .join('');

/** The airflow.cfg of an environment: our defaults, then the user's options, then what nobody may change. */
export const environmentConfiguration = (i: ConfigurationInput): string =>
  configurationText(
    merge(
      defaults(i.version, i, processesOf(i.record, i.version)),
      optionsOfUser(i.record),
      essential(i.version, i),
    ),
  );

/** The airflow.cfg with which a template database is migrated. No Fernet key: nothing in it is secret. */
export const templateConfiguration = (v: AirflowVersion, home: string, sqlAlchemyUrl: string): string =>
  configurationText({
    core: {
      dags_folder: `${home}/dags`,
      plugins_folder: `${home}/plugins`,
      load_examples: false,
      fernet_key: '',
      executor: 'LocalExecutor',
      ...(v.major === 3
        ? { auth_manager: 'airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager' }
        : {}),
    },
    database: { sql_alchemy_conn: sqlAlchemyUrl },
    logging: { base_log_folder: `${home}/logs`, logging_level: 'WARNING' },
    usage_data_collection: { enabled: false },
  });
