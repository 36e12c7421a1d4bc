import { Unfit } from './refused.ts';

/** Which hosts may be asked. Hosts are as in `URL.host`: lower case, with the port when it is not the scheme's own. */
export interface AddressRules {
  allowsHost(host: string): boolean;
  /** Whether what comes from that host may come unencrypted. */
  allowsPlainHttp(host: string): boolean;
}

export interface Address {
  /** What is handed on: of it everything was decided. */
  readonly href: string;
  readonly url: URL;
  readonly hasCredentials: boolean;
}

const scheme = /^([A-Za-z][A-Za-z0-9+.-]{0,20}):/;

/** `https` of `https://host`, in lower case; undefined for what is no address. */
export const schemeOf = (text: string): string | undefined => scheme.exec(text)?.[1]?.toLowerCase();

const wheelInstead = 'Build a wheel, put it into the plugins or the DAG folder, and name it by its full path';

const refuseScheme = (name: string): never => {
  if (/^(?:git|hg|svn|bzr)(?:\+|$)/.test(name))
    throw new Unfit('Packages are not built from repositories', wheelInstead, name);
  if (name === 'file')
    throw new Unfit('Addresses of files are not taken', 'Write the path itself, without "file:"');
  if (name === 'ssh') throw new Unfit('Packages are not fetched by SSH', wheelInstead);
  throw new Unfit('Packages are fetched by https only', 'Give an https address');
};

/** Refuses what names a repository without being an address that can be read: `git+git@host:path`. */
export const refuseRepository = (text: string): void => {
  const found = /^(git|hg|svn|bzr)\+/i.exec(text)?.[1];
  if (found !== undefined) refuseScheme(found.toLowerCase());
};

const parse = (text: string): URL => {
  if (/\s/.test(text)) throw new Unfit('The address has white space in it', 'Write blanks as %20');
  try {
    return new URL(text);
  } catch {
    throw new Unfit('The address cannot be read', 'Give one like https://host/path');
  }
};

/** The address of something that may be fetched. Throws Unfit. */
export const addressOf = (text: string, rules: AddressRules): Address => {
  const named = schemeOf(text) ?? '';
  if (named !== 'https' && named !== 'http') refuseScheme(named);
  const url = parse(text);
  if (!rules.allowsHost(url.host))
    throw new Unfit(
      'Nothing may be fetched from this host',
      'Have whoever runs Windsock allow it, or put the files into the plugins folder',
      url.host,
    );
  if (url.protocol === 'http:' && !rules.allowsPlainHttp(url.host))
    throw new Unfit('Packages are not fetched unencrypted', 'Give an https address', url.host);
  // uv would replace ${NAME} again
  const href = url.href.replaceAll('{', '%7B').replaceAll('}', '%7D');
  return { href, url, hasCredentials: url.username !== '' || url.password !== '' };
};

/** Airflow's constraint files at GitHub, with all providers. */
const airflowConstraints =
  /^\/apache\/airflow\/(?:refs\/(?:tags|heads)\/)?constraints-(\d[0-9a-z.]{0,20})\/constraints-(\d\.\d{1,2})\.txt$/;

/** The Airflow version and the Python version whose constraints are at that address; undefined for any other. */
export const airflowConstraintsAt = (
  text: string,
): { readonly version: string; readonly python: string } | undefined => {
  const url = URL.parse(text);
  if (url?.protocol !== 'https:' || url.host !== 'raw.githubusercontent.com') return undefined;
  const [, version, python] = airflowConstraints.exec(url.pathname) ?? [];
  return version === undefined || python === undefined ? undefined : { version, python };
};
