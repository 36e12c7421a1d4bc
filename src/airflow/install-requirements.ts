import { join } from 'node:path';
import type { PreparedRequirements } from '../content/requirements/prepared.ts';
import { placeOf } from '../content/requirements/refused.ts';
import { conceal, resolverReason } from '../content/requirements/resolver-reason.ts';
import { withoutCredentials } from '../content/requirements/shown.ts';
import { StepFailed } from '../environments/errors.ts';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import type { Installer } from './installer.ts';

export interface RequirementsInput {
  readonly prepared: PreparedRequirements;
  /** A folder of ours that the installer can read, with the wheels that are named. */
  readonly folder: string;
  /** The Python of the copy that they are installed into. */
  readonly python: string;
  readonly report: (text: string) => void;
  readonly signal: AbortSignal;
}

const isFolder = (link: string): boolean => link.startsWith('/');

/** Addresses may have a password in them, so they are no arguments, which every account can read. */
const indexVariables = (p: PreparedRequirements, sources: Readonly<Record<string, string>>) => {
  const extra = p.extraIndexes.map(({ href }) => href);
  const known = sources['UV_INDEX'];
  const pages = p.findLinks.flatMap(({ href }) => (isFolder(href) ? [] : [href.replaceAll(',', '%2C')]));
  return {
    ...(p.index === undefined ? {} : { UV_DEFAULT_INDEX: p.index.href }),
    ...(extra.length === 0
      ? {}
      : { UV_INDEX: [...extra, ...(known === undefined ? [] : [known])].join(' ') }),
    ...(pages.length === 0 ? {} : { UV_FIND_LINKS: pages.join(',') }),
  };
};

const argumentsFor = (i: RequirementsInput, requirements: string, constraints: readonly string[]) => [
  ...['pip', 'install', '--python', i.python, '--only-binary', ':all:', '-r', requirements],
  ...constraints.flatMap((file) => ['-c', file]),
  ...i.prepared.findLinks.flatMap(({ href }) => (isFolder(href) ? ['--find-links', href] : [])),
  ...(i.prepared.noIndex ? ['--no-index'] : []),
  ...(i.prepared.requireHashes ? ['--require-hashes'] : []),
  ...(i.prepared.prereleases ? ['--prerelease', 'allow'] : []),
];

/** Only the installer reads them: an address of a requirement may have a password in it. */
const writeFor = (installer: Installer, file: string, text: string): string => {
  writeFileAtomic(file, text, { mode: 0o600, ...(installer.account ? { owner: installer.account } : {}) });
  return file;
};

const refuseSources = ({ noBinary, requirements }: PreparedRequirements): void => {
  const [name] = noBinary.filter((one) => one !== ':none:');
  if (name === undefined) return;
  const line = requirements.lines.find((one) => one.name === name)?.source;
  throw new StepFailed(
    `${line ? `${line.file}, line ${line.line}` : 'requirements.txt'}: --no-binary ${name} asks for a build from sources, and only wheels are installed. Build a wheel, put it into plugins.zip, and name it by its full path.`,
    { retry: false },
  );
};

/**
 * A package that is fetched from an address may name further addresses in its own metadata, which nobody allowed; uv takes
 * them for its own. From an index it takes none.
 */
const refuseAddresses = ({ requirements }: PreparedRequirements): void => {
  const found = requirements.lines.find(({ address }) => address !== undefined && /^https?:/.test(address));
  if (found === undefined) return;
  throw new StepFailed(
    `${placeOf(found.source)}: A package is not fetched from an address of its own. Put the wheel into plugins.zip, and name it by its full path.`,
    { retry: false },
  );
};

/** The same of the wheels of a folder: prints those that name an address, each with it. */
const addressesInWheels = `
import os, pathlib, re, sys, zipfile
os.listdir(sys.argv[1])
for wheel in sorted(pathlib.Path(sys.argv[1]).rglob("*.whl")):
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if not name.lower().endswith("/metadata") or archive.getinfo(name).file_size > 1 << 20:
                    continue
                for line in archive.read(name).decode("utf-8", "replace").splitlines():
                    if re.match(r"requires-dist:[^;]*@", line, re.I):
                        print(wheel.name + " needs " + line.split(":", 1)[1].strip()[:200])
    except Exception as error:
        print(wheel.name + " cannot be read (" + str(error)[:100] + ")")
`;

const checkWheels = async (installer: Installer, i: RequirementsInput): Promise<void> => {
  const args = ['-I', '-S', '-c', addressesInWheels, i.folder];
  const what = 'Reading the wheels';
  const { stdout } = await installer.must({ what, program: i.python, args, signal: i.signal });
  const [found] = stdout.trim().split('\n');
  if (found)
    throw new StepFailed(
      `A wheel is refused: ${withoutCredentials(found)}. What a wheel needs comes from an index, or is a wheel beside it.`,
      { retry: false },
    );
};

/** uv's words for an index that may be there again. */
const passing =
  /(dns error|tcp connect error|error sending request|operation timed out|connection (?:reset|refused|closed)|status server error)/i;

/**
 * Resolves and installs in one go, into a copy that has Airflow's own packages: those are there already and stay what
 * they are. Gives what uv printed.
 * @throws StepFailed with the line that is at fault, and uv's reason
 */
export const installRequirements = async (installer: Installer, i: RequirementsInput): Promise<string> => {
  const { prepared: p, folder } = i;
  refuseSources(p);
  refuseAddresses(p);
  await checkWheels(installer, i);
  const requirements = writeFor(installer, join(folder, 'requirements.txt'), p.requirements.text);
  const constraints = p.constraints.map(({ text }, n) =>
    writeFor(installer, join(folder, `constraints-${n}.txt`), text),
  );
  const { exitCode, stdout, stderr, timedOut } = await installer.run({
    program: await installer.uv(i.signal),
    args: argumentsFor(i, requirements, constraints),
    env: indexVariables(p, installer.sources),
    signal: i.signal,
    report: i.report,
  });
  const said = installer.shown(conceal(`${stdout}${stderr}`, p));
  if (exitCode === 0) return said;
  if (i.signal.aborted) throw new StepFailed('Installing the packages was interrupted', { retry: true });
  if (timedOut) throw new StepFailed('Installing the packages took too long', { retry: false });
  const { text } = resolverReason(stderr, p);
  throw new StepFailed(installer.shown(text), { retry: passing.test(stderr), logTail: said });
};
