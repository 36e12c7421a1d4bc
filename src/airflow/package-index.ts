import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { EnvHttpProxyAgent, fetch } from 'undici';
import { textOf, WindsockError } from '../lib/errors.ts';

/** How this machine reaches Python packages: what the caller's environment says, and nothing else of it. */
export type PackageSources = Readonly<Record<string, string>>;

const standardIndex = 'https://pypi.org/simple';

/** The variables that say where packages come from; every other variable of the caller stays outside. */
const passedOn = [
  'UV_INDEX_URL',
  'UV_DEFAULT_INDEX',
  'UV_EXTRA_INDEX_URL',
  'UV_INDEX',
  'UV_PYTHON_INSTALL_MIRROR',
  'UV_SYSTEM_CERTS',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'ALL_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'all_proxy',
  'no_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
] as const;

/** Picks the package sources out of an environment; pip's names are understood where uv has none set. */
export const packageSources = (env: Readonly<Record<string, string | undefined>>): PackageSources => {
  const found: Record<string, string> = {};
  for (const name of passedOn) if (env[name]) found[name] = env[name];
  if (!found['UV_INDEX_URL'] && !found['UV_DEFAULT_INDEX'] && env['PIP_INDEX_URL'])
    found['UV_INDEX_URL'] = env['PIP_INDEX_URL'];
  if (!found['UV_EXTRA_INDEX_URL'] && env['PIP_EXTRA_INDEX_URL'])
    found['UV_EXTRA_INDEX_URL'] = env['PIP_EXTRA_INDEX_URL'];
  if (!found['SSL_CERT_FILE'] && env['PIP_CERT']) found['SSL_CERT_FILE'] = env['PIP_CERT'];
  return found;
};

const authorities = (sources: PackageSources): string[] => {
  const own = sources['SSL_CERT_FILE'];
  return own ? [...rootCertificates, readFileSync(own, 'utf8')] : [...rootCertificates];
};

const get = async (address: string, sources: PackageSources, signal: AbortSignal): Promise<Buffer> => {
  const url = new URL(address);
  const authorization = url.username
    ? {
        authorization: `Basic ${Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`).toString('base64')}`,
      }
    : {};
  url.username = '';
  url.password = '';
  const dispatcher = new EnvHttpProxyAgent({
    ...((sources['HTTP_PROXY'] ?? sources['http_proxy'])
      ? { httpProxy: sources['HTTP_PROXY'] ?? sources['http_proxy'] }
      : {}),
    ...((sources['HTTPS_PROXY'] ?? sources['https_proxy'])
      ? { httpsProxy: sources['HTTPS_PROXY'] ?? sources['https_proxy'] }
      : {}),
    ...((sources['NO_PROXY'] ?? sources['no_proxy'])
      ? { noProxy: sources['NO_PROXY'] ?? sources['no_proxy'] }
      : {}),
    connect: { ca: authorities(sources) },
    requestTls: { ca: authorities(sources) },
  });
  try {
    const answer = await fetch(url, {
      dispatcher,
      signal,
      headers: {
        accept: 'application/vnd.pypi.simple.v1+html, text/html;q=0.9, */*;q=0.1',
        ...authorization,
      },
    });
    if (!answer.ok)
      throw new WindsockError(
        'PackageIndexAnswered',
        `${url.host} answered ${answer.status} for ${url.pathname}`,
      );
    return Buffer.from(await answer.arrayBuffer());
  } catch (error) {
    if (error instanceof WindsockError) throw error;
    const cause = (error as { cause?: unknown }).cause;
    throw new WindsockError(
      'PackageIndexUnreachable',
      `${url.host} cannot be reached: ${textOf(cause ?? error)}`,
      { cause: error },
    );
  } finally {
    await dispatcher.close().catch(() => {});
  }
};

/**
 * Downloads one file of a project from the package index (PEP 503).
 * @throws WindsockError PackageIndexAnswered, PackageIndexUnreachable, PackageFileMissing
 */
export const downloadFile = async (
  project: string,
  file: string,
  sources: PackageSources,
  signal: AbortSignal,
): Promise<Buffer> => {
  const index = sources['UV_DEFAULT_INDEX'] ?? sources['UV_INDEX_URL'] ?? standardIndex;
  const page = `${index.replace(/\/+$/, '')}/${project}/`;
  const html = (await get(page, sources, signal)).toString('utf8');
  const links = [...html.matchAll(/<a\s[^>]*href="([^"]+)"/g)].map((match) =>
    (match[1] ?? '').replaceAll('&amp;', '&'),
  );
  const link = links.find((href) => href.split('#')[0]?.endsWith(`/${file}`));
  if (!link) throw new WindsockError('PackageFileMissing', `${new URL(page).host} does not offer ${file}`);
  const address = new URL(link, page);
  const credentials = new URL(index);
  if (address.host === credentials.host) {
    address.username = credentials.username;
    address.password = credentials.password;
  }
  return get(address.href, sources, signal);
};
