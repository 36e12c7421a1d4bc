import { join } from 'node:path';
import type { Constraints, PreparedRequirements } from '../content/requirements/prepared.ts';
import { resolverReason } from '../content/requirements/resolver-reason.ts';
import { StepFailed } from '../environments/errors.ts';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { isStage } from './base.ts';
import type { Installer } from './installer.ts';

export interface RequirementsInput {
  readonly prepared: PreparedRequirements;
  readonly airflowVersion: string;
  /** A folder of ours that the installer can read, with the wheels that are named. */
  readonly folder: string;
  /** The Python of the copy that they are installed into. */
  readonly python: string;
  readonly report: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Addresses may have a password in them, so they are no arguments, which every account can read. */
const indexVariables = (p: PreparedRequirements, sources: Readonly<Record<string, string>>) => {
  const extra = p.extraIndexes.map(({ href }) => href);
  const known = sources['UV_INDEX'];
  return {
    ...(p.index === undefined ? {} : { UV_DEFAULT_INDEX: p.index.href }),
    ...(extra.length === 0
      ? {}
      : { UV_INDEX: [...extra, ...(known === undefined ? [] : [known])].join(' ') }),
    ...(p.findLinks.length === 0 ? {} : { UV_FIND_LINKS: p.findLinks.map(({ href }) => href).join(',') }),
  };
};

/** Without this line uv would take another Airflow where a requirement wants one. */
const ownAirflow = (version: string): string => `apache-airflow==${version}\n`;

const argumentsFor = (i: RequirementsInput, requirements: string, constraints: readonly string[]) => [
  ...['pip', 'install', '--python', i.python, '--only-binary', ':all:', '-r', requirements],
  ...constraints.flatMap((file) => ['-c', file]),
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
 * Resolves and installs in one go, into a copy that has Airflow's own packages: those are there already and stay what
 * they are. Gives what uv printed.
 * @throws StepFailed with the line that is at fault, and uv's reason
 */
export const installRequirements = async (installer: Installer, i: RequirementsInput): Promise<string> => {
  const { prepared: p, folder } = i;
  refuseSources(p);
  const requirements = writeFor(installer, join(folder, 'requirements.txt'), p.requirements.text);
  const texts = [...p.constraints.map(({ text }: Constraints) => text), ownAirflow(i.airflowVersion)];
  const constraints = texts.map((text, n) => writeFor(installer, join(folder, `constraints-${n}.txt`), text));
  const { exitCode, stdout, stderr, timedOut } = await installer.run({
    program: await installer.uv(i.signal),
    args: argumentsFor(i, requirements, constraints),
    env: indexVariables(p, installer.sources),
    signal: i.signal,
    onLine: (line) => isStage(line) && i.report(line.trim()),
  });
  if (exitCode === 0) return `${stdout}${stderr}`;
  if (timedOut || i.signal.aborted)
    throw new StepFailed('Installing the packages took too long', { retry: false });
  const { text } = resolverReason(stderr, p);
  throw new StepFailed(installer.shown(text), { retry: false, logTail: installer.shown(stderr) });
};
