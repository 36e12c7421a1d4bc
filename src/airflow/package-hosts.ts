import type { PackageSources } from './package-index.ts';
import type { PackageHosts } from './ports.ts';

/** PyPI, where packages come from when nothing else is said. */
const usual = ['https://pypi.org', 'https://files.pythonhosted.org'];

const indexVariables = ['UV_DEFAULT_INDEX', 'UV_INDEX_URL', 'UV_EXTRA_INDEX_URL', 'UV_INDEX'];

/** The indexes that this machine uses; a name may stand before each (uv, "Package indexes": `name=https://…`). */
const indexesOf = (sources: PackageSources): readonly URL[] => {
  const given = indexVariables.flatMap((name) => (sources[name] ?? '').split(/\s+/));
  return given.flatMap((text) => URL.parse(text.replace(/^[\w-]+=/, '')) ?? []);
};

const isLoopback = (host: string): boolean => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(host);

/**
 * What a requirements.txt may name: the indexes that this machine uses, and the hosts that a setting names. It is the
 * server that asks them, so nothing else of its network can be reached by a line in a file.
 */
export const packageHosts = (sources: PackageSources, named: readonly string[]): PackageHosts => {
  const own = indexesOf(sources);
  const isDefault = sources['UV_DEFAULT_INDEX'] === undefined && sources['UV_INDEX_URL'] === undefined;
  const known = [...own, ...(isDefault ? usual.map((text) => new URL(text)) : [])];
  const hosts = new Set([...known.map(({ host }) => host), ...named.map((host) => host.toLowerCase())]);
  const plain = new Set(known.flatMap(({ protocol, host }) => (protocol === 'http:' ? [host] : [])));
  return {
    allows: (host) => hosts.has(host),
    allowsPlainHttp: (host) => plain.has(host) || (hosts.has(host) && isLoopback(host)),
  };
};
