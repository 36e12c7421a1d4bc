const foldersOf = (key: string): readonly string[] => {
  const found: string[] = [];
  for (let at = key.indexOf('/'); at !== -1; at = key.indexOf('/', at + 1)) found.push(key.slice(0, at));
  return found;
};

const add = (counts: Map<string, number>, path: string, n: number): void => {
  const now = (counts.get(path) ?? 0) + n;
  if (now > 0) counts.set(path, now);
  else counts.delete(path);
};

/**
 * The paths that writes under way make files and folders of. Two writes at once, of `a` and `a/b`, both find nothing in
 * their place; only one of them can be shown as a file.
 */
export class PathsInUse {
  readonly #files = new Map<string, number>();
  readonly #folders = new Map<string, number>();

  /** Gives what ends the use; undefined when a write under way needs a folder where this is a file, or the reverse. */
  use(bucket: string, key: string): (() => void) | undefined {
    const file = `${bucket}/${key}`;
    const folders = foldersOf(key).map((folder) => `${bucket}/${folder}`);
    if (this.#folders.has(file) || folders.some((folder) => this.#files.has(folder))) return undefined;
    const count = (n: number): void => {
      add(this.#files, file, n);
      for (const folder of folders) add(this.#folders, folder, n);
    };
    count(1);
    return () => count(-1);
  }
}
