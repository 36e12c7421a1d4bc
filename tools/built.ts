import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
/** What the build is made of. */
const sources = ['src', 'package-lock.json', 'tools/build.mjs'];

const changed = (path: string): number => statSync(path).mtimeMs;

const latestChange = (path: string): number =>
  statSync(path).isFile()
    ? changed(path)
    : Math.max(
        ...readdirSync(path, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile() && !/\.test\.ts$|\.pyc$/.test(entry.name))
          .map((entry) => changed(join(entry.parentPath, entry.name))),
      );

/** Whether dist/ was built after the last change of what it is made of; tools/build.mjs dates it by its beginning. */
export const isBuilt = (): boolean => {
  const built = statSync(join(root, 'dist'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return sources.every((source) => latestChange(join(root, source)) < built);
};
