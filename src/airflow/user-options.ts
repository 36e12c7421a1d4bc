import { customDomainOptions } from '../environments/custom-domain.ts';
import type { EnvironmentRecord } from '../environments/record.ts';
import { isProtected } from './protected-options.ts';
import { findVersion } from './versions.ts';

/** An option of AirflowConfigurationOptions; names in lower case, as Airflow compares them. */
interface UserOption {
  readonly section: string;
  readonly key: string;
  readonly value: string;
}

const given = ({ spec }: Pick<EnvironmentRecord, 'spec'>): readonly (readonly [string, string])[] => {
  const options = spec['AirflowConfigurationOptions'];
  if (typeof options !== 'object' || options === null) return [];
  return Object.entries(options).map(([name, value]) => [name.toLowerCase(), String(value)] as const);
};

const isKept = ({ spec }: Pick<EnvironmentRecord, 'spec'>, name: string): boolean =>
  isProtected(name, findVersion(spec.AirflowVersion)?.major);

/** The user's options that count, in the order in which they were given: all but the protected ones. */
export const userOptions = (record: Pick<EnvironmentRecord, 'spec'>): readonly UserOption[] =>
  given(record).flatMap(([name, value]) => {
    const dot = name.indexOf('.');
    if (dot < 1 || isKept(record, name)) return [];
    return [{ section: name.slice(0, dot), key: name.slice(dot + 1), value }];
  });

/** Names of the user's options that do not count; a custom domain counts elsewhere. */
export const ignoredOptions = (record: Pick<EnvironmentRecord, 'spec'>): readonly string[] =>
  given(record)
    .map(([name]) => name)
    .filter((name) => isKept(record, name) && !customDomainOptions.some((option) => option === name));

/** The value of one of the user's options; undefined when there is none. */
export const userOption = (
  record: Pick<EnvironmentRecord, 'spec'>,
  section: string,
  key: string,
): string | undefined => userOptions(record).findLast((o) => o.section === section && o.key === key)?.value;

/** A name that a shell can export and that Airflow can ask for. */
const variable = /^[A-Z0-9_]+$/;

/**
 * The user's options as environment variables, as Amazon MWAA gives them to every process of an environment:
 * `AIRFLOW__SECTION__KEY`. A key with a dot has none: no shell can name it.
 */
export const optionVariables = (record: Pick<EnvironmentRecord, 'spec'>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    userOptions(record).flatMap(({ section, key, value }) => {
      const name = `AIRFLOW__${section}__${key}`.toUpperCase();
      return variable.test(name) ? [[name, value] as const] : [];
    }),
  );
