import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageOfWheel } from '../content/requirements/package-file.ts';
import type { PreparedRequirements } from '../content/requirements/prepared.ts';
import { normalised } from '../content/requirements/requirement.ts';
import { conceal, resolverReason } from '../content/requirements/resolver-reason.ts';
import { withoutCredentials } from '../content/requirements/shown.ts';
import { readFailure } from '../content/requirements/uv-text.ts';
import { StepFailed } from '../environments/errors.ts';
import type { Installer } from './installer.ts';
import { indexVariables, isForBuild, placeArguments, writeRequirements } from './uv-requirements.ts';

export interface RequirementsInput {
  readonly prepared: PreparedRequirements;
  /** A folder of ours that the installer can read, with the wheels that are named. */
  readonly folder: string;
  /** Wheels in it that were fetched or built for what the installer does not fetch or build itself. */
  readonly built: readonly string[];
  /** The Python of the copy that they are installed into. */
  readonly python: string;
  readonly report: (text: string) => void;
  readonly signal: AbortSignal;
}

/** A package has no wheel that fits: it could be built from its sources. */
export class WheelMissing extends StepFailed {}

const argumentsFor = (i: RequirementsInput, requirements: string, constraints: readonly string[]) => [
  ...['pip', 'install', '--python', i.python, '--only-binary', ':all:', '-r', requirements],
  ...constraints.flatMap((file) => ['-c', file]),
  ...placeArguments(i.prepared),
  ...(i.prepared.requireHashes ? ['--require-hashes'] : []),
];

const nameOf = (wheel: string): string => packageOfWheel(basename(wheel)) ?? '';

/** What has an address is asked for by its name only beside its wheel: an index may have another package of that name. */
const linesFor = ({ prepared: { requirements }, built }: RequirementsInput): readonly string[] => {
  const names = new Set(built.map((wheel) => normalised(nameOf(wheel))));
  const lines = requirements.lines.filter((line) => !isForBuild(line) || names.has(line.name ?? ''));
  return [
    ...lines.map((line) => (isForBuild(line) ? line.byName : line.text)),
    ...built.map((wheel) => `${nameOf(wheel)} @ ${pathToFileURL(wheel).href}`),
  ];
};

/**
 * Prints of the wheels of a folder those whose own metadata leads to an address, which nobody allowed; uv takes such
 * addresses for its own. Of a package from an index it takes none.
 */
const addressesInWheels = `
import email.parser, os, pathlib, sys, zipfile
MOST = 1 << 20
def needs(wheel):
    with zipfile.ZipFile(wheel) as archive:
        found = [i for i in archive.infolist() if i.filename.lower().endswith(".dist-info/metadata") and i.filename.count("/") == 1]
        if len(found) != 1 or found[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError("it has no metadata, or more than once")
        with archive.open(found[0]) as file:
            text = file.read(MOST)
            if file.read(1):
                raise ValueError("its metadata have more than 1 MiB")
    for need in email.parser.BytesHeaderParser().parsebytes(text).get_all("Requires-Dist") or []:
        if "@" in str(need).split(";")[0]:
            return " ".join(str(need).split())[:200]
os.listdir(sys.argv[1])
for wheel in sorted(pathlib.Path(sys.argv[1]).rglob("*.whl")):
    try:
        need = needs(wheel)
        if need:
            print(wheel.name + " needs " + need)
    except Exception as error:
        print(wheel.name + " cannot be read (" + str(error)[:100] + ")")
`;

const checkWheels = async (installer: Installer, i: RequirementsInput): Promise<void> => {
  const args = ['-I', '-S', '-c', addressesInWheels, i.folder];
  const what = 'Reading the wheels';
  const { stdout } = await installer.must({ what, program: i.python, args, signal: i.signal, memory: 1 });
  const [found] = stdout.trim().split('\n');
  if (found)
    throw new StepFailed(
      `A wheel is refused: ${withoutCredentials(found)}. What a wheel needs comes from an index, or is a wheel beside it.`,
      { retry: false },
    );
};

/** uv's words for an index that may be there again. */
const passing =
  /(dns error|tcp connect error|error sending request|timed out|temporary failure|connection (?:reset|refused|closed)|status server error|http error 5\d\d)/i;

/** uv's words for what has sources only. */
const sourcesOnly = /(no usable wheels|building from source is disabled)/i;

/** What to throw for a uv that failed. */
export const uvFailed = (
  { stderr, timedOut }: { readonly stderr: string; readonly timedOut: boolean },
  i: Pick<RequirementsInput, 'prepared' | 'signal'>,
  shown: { readonly installer: Installer; readonly log: string },
): StepFailed => {
  if (i.signal.aborted) return new StepFailed('Installing the packages was interrupted', { retry: true });
  if (timedOut) return new StepFailed('Installing the packages took too long', { retry: false });
  const text = shown.installer.shown(resolverReason(stderr, i.prepared).text);
  const Failed = sourcesOnly.test(stderr) ? WheelMissing : StepFailed;
  // what a build printed is no word of uv
  const { what, causes } = readFailure(stderr);
  const retry = passing.test([what, ...causes].join('\n'));
  return new Failed(text, { retry, logTail: shown.log });
};

/**
 * Resolves and installs in one go, into a copy that has Airflow's own packages: those are there already and stay what
 * they are. Gives what uv printed.
 * @throws WheelMissing, and StepFailed, with the line that is at fault and uv's reason; nothing was installed then
 */
export const installRequirements = async (installer: Installer, i: RequirementsInput): Promise<string> => {
  const { prepared: p, folder } = i;
  await checkWheels(installer, i);
  const { requirements, constraints } = writeRequirements(folder, linesFor(i), p, installer.account);
  const result = await installer.run({
    program: await installer.uv(i.signal),
    args: argumentsFor(i, requirements, constraints),
    env: indexVariables(p, installer.sources),
    signal: i.signal,
    report: i.report,
  });
  const log = installer.shown(conceal(`${result.stdout}${result.stderr}`, p));
  if (result.exitCode === 0) return log;
  throw uvFailed(result, i, { installer, log });
};
