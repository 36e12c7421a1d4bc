import { open } from 'node:fs/promises';

/** Puts onto the disk which files are in a folder. Its path must be one of ours, not of people. */
export const syncFolder = async (path: string): Promise<void> => {
  const handle = await open(path, 'r');
  await handle.sync().finally(() => handle.close());
};
