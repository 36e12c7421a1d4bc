import type { EnvironmentRecord, EnvironmentSpec } from './record.ts';

/** The options that name a custom domain: of Airflow 2, and where Airflow 3 has the same. */
export const customDomainOptions = ['webserver.base_url', 'api.base_url'] as const;

/** A name in full, without protocol, port or path (MWAA user guide, "Setting up a custom domain"). */
const fullName = /^(?=.{1,255}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/i;

export const isFullName = (text: unknown): text is string => typeof text === 'string' && fullName.test(text);

/** What the options say about a custom domain, each value once; not yet checked. */
export const customDomainsGiven = (spec: Pick<EnvironmentSpec, string>): readonly unknown[] => {
  const options = (spec['AirflowConfigurationOptions'] ?? {}) as Readonly<Record<string, unknown>>;
  const given = customDomainOptions.map((option) => options[option]).filter((value) => value !== undefined);
  return [...new Set(given)];
};

/** The name, in lower case, that a private environment answers by besides its own; undefined when it has none. */
export const customDomainOf = (spec: Pick<EnvironmentSpec, string>): string | undefined => {
  const [name, second] = customDomainsGiven(spec);
  return second === undefined && isFullName(name) ? name.toLowerCase() : undefined;
};

/** Every name that an environment has, had before an update that may still fail, or will have after it. */
export const customDomainsHeld = ({ spec, update }: EnvironmentRecord): readonly string[] =>
  [spec, update?.wanted, update?.previous].flatMap((s) => (s && customDomainOf(s)) ?? []);

/** Where links of Airflow lead: to the custom domain where there is one, at the port of the environment's own name. */
export const publicUrlOf = ({ spec, webserverHostname = '' }: EnvironmentRecord): string => {
  const name = customDomainOf(spec);
  return `https://${name === undefined ? webserverHostname : webserverHostname.replace(/^[^:]*/, name)}`;
};
