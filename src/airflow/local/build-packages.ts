import { chmod, chown, mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { prepareRequirements } from '../../content/requirements/prepare.ts';
import type { PreparedRequirements } from '../../content/requirements/prepared.ts';
import { placeOf, RequirementsRefused } from '../../content/requirements/refused.ts';
import { StepFailed } from '../../environments/errors.ts';
import { pinnedFile } from '../../environments/pinned-files.ts';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import { randomId } from '../../lib/ids.ts';
import type { Account } from '../../lib/process.ts';
import { installRequirements, WheelMissing } from '../install-requirements.ts';
import { optionVariables } from '../user-options.ts';
import { constraintsOf, essentialPinsOf, findVersion } from '../versions.ts';
import { asksForBuild, buildSources, mayBuild } from './build-sources.ts';
import { baseOf, placesFor, seenFor, versionOf } from './context.ts';
import { objectOf } from './object-of.ts';
import { lockFile } from './own-packages.ts';
import type { PackagesWork } from './prepare-packages.ts';
import { copyTheirFile, readTheirFile, type TheirFile, theirWheels } from './their-files.ts';

/** The text of requirements.txt, kept where the environment can read it. */
const fetchRequirements = async ({ o, e, own, signal }: PackagesWork): Promise<Uint8Array | undefined> => {
  const requirements = pinnedFile(e.spec, 'Requirements');
  if (requirements === undefined) return undefined;
  const file = join(own.requirements, 'requirements.txt');
  await o.objects.fetch(objectOf(e, requirements), file, signal);
  await chmod(file, 0o644);
  return readFile(file);
};

/** Names the set; undefined where the packages of the base are enough. */
export const buildSet = async (w: PackagesWork): Promise<string | undefined> => {
  const { o, e, own } = w;
  const bytes = await fetchRequirements(w);
  if (bytes === undefined) return undefined;
  const folder = join(o.cache, `packages-${randomId(12)}`);
  await makeBuildFolder(folder, o.installer.account);
  try {
    const prepared = await prepareFile(w, bytes, (name) => join(folder, name));
    for (const { file, line, text, why } of prepared.dropped)
      w.said.push(`${placeOf({ file, line, text })}: left out: ${why}`);
    if (prepared.requirements.lines.length === 0) return undefined;
    await copyWheels(w, prepared, folder);
    const built = await o.sets.build(
      baseOf(o, versionOf(e)),
      (python) => install(w, { bytes, prepared, folder, python }),
      w,
    );
    writeFileAtomic(join(own.requirements, lockFile), `${built.packages.join('\n')}\n`, {
      mode: 0o644,
    });
    return built.hash;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

interface Installing {
  readonly bytes: Uint8Array;
  readonly prepared: PreparedRequirements;
  readonly folder: string;
  readonly python: string;
}

/** What has no wheel is built first, where that is known; else when the installer finds it out. */
const install = async (w: PackagesWork, { bytes, prepared, folder, python }: Installing): Promise<void> => {
  const { report, signal } = w;
  const build = async () => {
    const seen = seenFor(w.o, w.e);
    return buildSources(w, await prepareFile(w, bytes, (name) => seen[name]), folder);
  };
  const add = async (built: readonly string[]): Promise<void> => {
    const input = { prepared, folder, built, python, report, signal };
    w.said.push(await installRequirements(w.o.installer, input));
  };
  if (asksForBuild(prepared)) return add(await build());
  try {
    await add([]);
  } catch (error) {
    if (!(error instanceof WheelMissing) || !mayBuild(prepared)) throw error;
    w.said.push(`${error.message}\nWhat has no wheel is built from its sources.`);
    await add(await build());
  }
};

/** The installer reads it, and nobody else. */
const makeBuildFolder = async (folder: string, account: Account | undefined): Promise<void> => {
  await mkdir(folder, { mode: 0o700 });
  if (account === undefined) return;
  await chown(folder, 0, account.gid);
  await chmod(folder, 0o750);
};

const folderNames = ['dags', 'plugins'] as const;

const prepareFile = async (
  w: PackagesWork,
  bytes: Uint8Array,
  placeFor: (name: (typeof folderNames)[number]) => string,
): Promise<PreparedRequirements> => {
  const { o, e } = w;
  const version = versionOf(e);
  const places = folderNames.map((name) => ({
    name,
    seen: `/usr/local/airflow/${name}`,
    real: placeFor(name),
  }));
  try {
    return await prepareRequirements(
      { name: 'requirements.txt', bytes },
      {
        airflowVersion: version.version,
        folders: Object.fromEntries(places.map(({ seen, real }) => [seen, real])),
        variables: optionVariables(e),
        essentialPins: essentialPinsOf(version),
        shippedConstraints: (name) => {
          const found = findVersion(name);
          return found && constraintsOf(found);
        },
        allowsHost: o.packageHosts.allows,
        allowsPlainHttp: o.packageHosts.allowsPlainHttp,
        readFile: async (path) => {
          const place = places.find(({ real }) => path.startsWith(`${real}/`));
          return place && readTheirFile(theirs(w, join(place.name, path.slice(place.real.length))));
        },
      },
    );
  } catch (error) {
    if (!(error instanceof RequirementsRefused)) throw error;
    throw new StepFailed(error.publicText, { retry: false, cause: error });
  }
};

/** The environment's own file that a path below the build folder stands for. */
const theirs = ({ o, e, own }: PackagesWork, path: string): TheirFile => {
  const [name = '', ...names] = path.split('/');
  return { root: name === 'plugins' ? own.plugins : placesFor(o, e.id).dags, names };
};

/** The installer cannot enter the folders of an environment, so it gets the wheels that are named, and those beside them. */
const copyWheels = async (w: PackagesWork, p: PreparedRequirements, folder: string): Promise<void> => {
  const named = [...p.localWheels, ...p.findLinks.map(({ href }) => href)];
  const below = named.filter((path) => path.startsWith(`${folder}/`));
  for (const path of new Set(below)) {
    const from = theirs(w, path.slice(folder.length + 1));
    const isWheel = path.endsWith('.whl');
    await mkdir(isWheel ? dirname(path) : path, { recursive: true, mode: 0o755 });
    if (isWheel) await copyTheirFile(from, path);
    else
      for (const name of await theirWheels(from))
        await copyTheirFile({ ...from, names: [...from.names, name] }, join(path, name));
  }
};
