import { join } from 'node:path';
import { isLocalWheel } from '../content/requirements/package-file.ts';
import type { HandedLine, PreparedRequirements } from '../content/requirements/prepared.ts';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import type { Account } from '../lib/process.ts';
import type { PackageSources } from './package-index.ts';

const isFolder = (link: string): boolean => link.startsWith('/');

/**
 * The variables that tell uv where packages come from: what the file says, over what the machine says. Addresses may have
 * a password in them, so they are no arguments, which every account can read.
 */
export const indexVariables = (p: PreparedRequirements, sources: PackageSources): Record<string, string> => {
  const extra = p.extraIndexes.map(({ href }) => href);
  const known = sources['UV_INDEX'];
  const pages = p.findLinks.flatMap(({ href }) => (isFolder(href) ? [] : [href.replaceAll(',', '%2C')]));
  return {
    ...sources,
    ...(p.index === undefined ? {} : { UV_DEFAULT_INDEX: p.index.href }),
    ...(extra.length === 0
      ? {}
      : { UV_INDEX: [...extra, ...(known === undefined ? [] : [known])].join(' ') }),
    ...(pages.length === 0 ? {} : { UV_FIND_LINKS: pages.join(',') }),
  };
};

/** The arguments that tell uv where it looks for packages, and which versions it may take. */
export const placeArguments = (p: PreparedRequirements): readonly string[] => [
  ...p.findLinks.flatMap(({ href }) => (isFolder(href) ? ['--find-links', href] : [])),
  ...(p.noIndex ? ['--no-index'] : []),
  ...(p.prereleases ? ['--prerelease', 'allow'] : []),
];

/**
 * Writes the requirements and the constraints into a folder; only the owner reads them: an address of a requirement may
 * have a password in it.
 */
export const writeRequirements = (
  folder: string,
  requirements: readonly string[],
  p: Pick<PreparedRequirements, 'constraints'>,
  owner: Account | undefined,
): { readonly requirements: string; readonly constraints: readonly string[] } => {
  const write = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileAtomic(file, text, { mode: 0o600, ...(owner ? { owner } : {}) });
    return file;
  };
  return {
    requirements: write('requirements.txt', requirements.map((line) => `${line}\n`).join('')),
    constraints: p.constraints.map(({ text }, n) => write(`constraints-${n}.txt`, text)),
  };
};

/** True of what the installer does not fetch or build: an address of the web, and an archive of sources. */
export const isForBuild = ({ address }: HandedLine): boolean =>
  address !== undefined && !isLocalWheel(address);
