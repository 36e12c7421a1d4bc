import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StepFailed } from '../../environments/errors.ts';
import { pinnedFile, pinnedNames } from '../../environments/pinned-files.ts';
import type { EnvironmentSpec } from '../../environments/record.ts';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import type { Account } from '../../lib/process.ts';
import type { Base } from '../base.ts';
import type { Places } from './places.ts';

/** Among the requirements: `name==version` of every package that is not as in the base. */
export const lockFile = 'requirements.lock';

/** Changes when the way of preparing them changes. */
const recipe = 1;

/** True when the environment has packages or plugins of its own. */
export const hasOwnPackages = (spec: EnvironmentSpec): boolean =>
  pinnedNames.some((name) => pinnedFile(spec, name) !== undefined);

/** Names what the environment has of its own on top of that base. */
const revisionOn = (base: Base, spec: EnvironmentSpec): string => {
  const parts = [
    recipe,
    base.hash,
    spec.SourceBucketArn,
    pinnedNames.map((name) => pinnedFile(spec, name) ?? null),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
};

/** The folders of one revision; its account may read them. */
export interface OwnPackages {
  readonly revision: string;
  readonly root: string;
  /** Seen as /usr/local/airflow/requirements: requirements.txt as it was given, and what it came to. */
  readonly requirements: string;
  /** Seen as /usr/local/airflow/plugins. */
  readonly plugins: string;
  /** What was built; written last. */
  readonly state: string;
}

/** Where that is which an environment with packages or plugins of its own has on that base. */
export const ownPackagesOf = (places: Places, spec: EnvironmentSpec, base: Base): OwnPackages => {
  const revision = revisionOn(base, spec);
  const root = join(places.packages, revision);
  const of = (name: string): string => join(root, name);
  return {
    revision,
    root,
    requirements: of('requirements'),
    plugins: of('plugins'),
    state: of('state.json'),
  };
};

/** What came of preparing a revision. */
export interface PackagesState {
  /** The set that holds the packages; undefined where those of the base are enough. */
  readonly set: string | undefined;
  /** It was tried, and may be switched to. */
  readonly tried: boolean;
  /** The generation of the record for which it was tried last. */
  readonly triedFor?: number;
}

/** Undefined while it is not built. */
export const packagesState = ({ state }: Pick<OwnPackages, 'state'>): PackagesState | undefined => {
  if (!existsSync(state)) return undefined;
  try {
    return JSON.parse(readFileSync(state, 'utf8')) as PackagesState;
  } catch (cause) {
    throw new StepFailed(`${state} cannot be read: remove it, and the packages are prepared again`, {
      retry: true,
      cause,
    });
  }
};

export const writePackagesState = (
  { state }: Pick<OwnPackages, 'state'>,
  is: PackagesState,
  account: Account | undefined,
): void =>
  writeFileAtomic(state, JSON.stringify(is), {
    mode: 0o640,
    owner: account && { uid: 0, gid: account.gid },
  });
