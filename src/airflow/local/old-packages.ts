import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { EnvironmentRecord } from '../../environments/record.ts';
import { findPackages, type LocalDriverOptions, placesFor } from './context.ts';
import { packagesState } from './own-packages.ts';

/** Removes the revisions that neither run nor may be gone back to. */
export const forgetOldPackages = async (o: LocalDriverOptions, e: EnvironmentRecord): Promise<void> => {
  const specs = [e.spec, ...(e.update ? [e.update.previous, e.update.wanted] : [])];
  const kept = new Set(specs.flatMap((spec) => findPackages(o, { id: e.id, spec })?.revision ?? []));
  const { packages } = placesFor(o, e.id);
  for (const name of await readdir(packages).catch(() => []))
    if (!kept.has(name)) await rm(join(packages, name), { recursive: true, force: true });
};

/** The sets that any environment refers to. */
export const setsInUse = async (o: LocalDriverOptions): Promise<ReadonlySet<string>> => {
  const found = new Set<string>();
  for (const id of await readdir(o.environments)) {
    const { packages } = placesFor(o, id);
    for (const revision of await readdir(packages).catch(() => [])) {
      const set = packagesState({ state: join(packages, revision, 'state.json') })?.set;
      if (set !== undefined) found.add(set);
    }
  }
  return found;
};
