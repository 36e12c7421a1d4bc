/** Options of Airflow that an environment's own options do not reach, and why. */
interface ProtectedOptions {
  readonly why: string;
  /** Names as in AirflowConfigurationOptions; older names of the same option too, because Airflow reads these first. */
  readonly options: readonly string[];
  /** Undefined: on every version. */
  readonly major?: 2 | 3;
}

/**
 * What Windsock sets for each environment, and what would undo it. Older names are from the table `deprecated_options`
 * of airflow/configuration.py (2.7.2 to 2.11.2) and airflow/_shared/configuration/parser.py (3.2.1, 3.3.1).
 */
export const protectedOptions: readonly ProtectedOptions[] = [
  {
    why: 'Who gets in, and with which roles, is decided by the gateway.',
    options: [
      'core.auth_manager',
      'api.auth_backend',
      'api.auth_backends',
      'fab.auth_backends',
      'fab.auth_role_public',
      'fab.config_file',
      'webserver.config_file',
    ],
  },
  {
    why: 'Keys are made for each environment, and no process has them in its environment variables.',
    options: [
      'core.fernet_key',
      'api.secret_key',
      'webserver.secret_key',
      'api_auth.jwt_secret',
      'api_auth.jwt_private_key_path',
      'api_auth.trusted_jwks_url',
    ],
  },
  {
    why: 'The metadata database is made by Windsock; its address holds a password.',
    options: [
      'database.sql_alchemy_conn',
      'core.sql_alchemy_conn',
      'database.sql_alchemy_conn_async',
      'database.check_migrations',
    ],
  },
  {
    why: 'The gateway reaches the web server at an address of its own. A custom domain is read from here and completed.',
    options: [
      'webserver.base_url',
      'webserver.web_server_host',
      'webserver.web_server_port',
      'webserver.web_server_ssl_cert',
      'webserver.web_server_ssl_key',
      'webserver.enable_proxy_fix',
      'api.base_url',
      'api.host',
      'api.port',
      'api.ssl_cert',
      'api.ssl_key',
      'fab.enable_proxy_fix',
      'core.execution_api_server_url',
      'workers.execution_api_server_url',
      'core.hostname_callable',
    ],
  },
  {
    why: 'Pages and cookies are as safe as Windsock promises.',
    options: [
      'webserver.cookie_secure',
      'webserver.cookie_samesite',
      'webserver.expose_config',
      'webserver.reload_on_plugin_change',
      'api.expose_config',
      'fab.cookie_secure',
      'fab.cookie_samesite',
    ],
  },
  {
    why: 'Folders and executor are those of the environment.',
    options: [
      'core.dags_folder',
      'core.plugins_folder',
      'core.executor',
      'core.load_examples',
      'core.unit_test_mode',
      'logging.base_log_folder',
      'core.base_log_folder',
    ],
  },
  {
    why: 'On Airflow 2 it gives tasks a log level of their own.',
    options: ['logging.logging_config_class', 'core.logging_config_class'],
    major: 2,
  },
  { why: 'Amazon MWAA does not support it.', options: ['core.multi_team', 'triggerer.queues_enabled'] },
];

/** The environment variable that Airflow reads for an option, after its prefix `AIRFLOW__`. */
const stemOf = (option: string): string => option.replace('.', '__').toUpperCase();

/**
 * The names that Airflow could read a protected option from: its own, one that names a command or a secret that gives
 * the value, and each with the name of a team before it (`AIRFLOW__TEAM___SECTION__KEY`).
 */
const isSpelling = (stem: string, of: string): boolean => {
  const own = stem.slice(stem.lastIndexOf('___') < 0 ? 0 : stem.lastIndexOf('___') + 3);
  return [stem, own].some((name) => [of, `${of}_CMD`, `${of}_SECRET`].includes(name));
};

/** True for an option that Windsock keeps to itself, however it is written. `major` undefined: on any version. */
export const isProtected = (option: string, major: 2 | 3 | undefined): boolean =>
  protectedOptions.some(
    (group) =>
      (group.major === undefined || major === undefined || group.major === major) &&
      group.options.some((name) => isSpelling(stemOf(option), stemOf(name))),
  );
