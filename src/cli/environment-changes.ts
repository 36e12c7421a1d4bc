import { CliError, exitCodes } from './errors.ts';

/** What `windsock environment update` was asked for. */
export interface EnvironmentChanges {
  readonly airflowVersion?: string;
  readonly class?: string;
  /** `section.key=value` each. */
  readonly set?: readonly string[];
  /** False: `--no-options`. */
  readonly options?: boolean;
  readonly graceful?: boolean;
}

const optionOf = (text: string): readonly [name: string, value: string] => {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new CliError(`--set ${text} has no value.`, {
    todo: 'Write it like --set core.parallelism=4',
    exitCode: exitCodes.usage,
  });
};

/** The request of UpdateEnvironment. @throws CliError when nothing is to change, or an option has no value */
export const changeBody = (o: EnvironmentChanges): Readonly<Record<string, unknown>> => {
  const body = {
    ...(o.airflowVersion === undefined ? {} : { AirflowVersion: o.airflowVersion }),
    ...(o.class === undefined ? {} : { EnvironmentClass: o.class }),
    ...(o.set === undefined ? {} : { AirflowConfigurationOptions: Object.fromEntries(o.set.map(optionOf)) }),
    ...(o.options === false ? { AirflowConfigurationOptions: {} } : {}),
  };
  if (Object.keys(body).length === 0)
    throw new CliError('Nothing is to be changed.', {
      todo: 'Say what: --airflow-version, --class, --set or --no-options',
      exitCode: exitCodes.usage,
    });
  return { ...body, ...(o.graceful ? { WorkerReplacementStrategy: 'GRACEFUL' } : {}) };
};
