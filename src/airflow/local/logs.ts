import { existsSync } from 'node:fs';
import { type Account, run } from '../../lib/process.ts';

/** Removes task logs older than so many days, as the environment's own account: its folder is not ours to trust. */
export const removeOldTaskLogs = async (
  folder: string,
  days: number,
  account: Account | undefined,
): Promise<void> => {
  if (!existsSync(folder)) return;
  const options = { env: { PATH: '/usr/bin:/bin' }, cwd: '/', account, timeout: 10 * 60_000 };
  await run('find', [folder, '-xdev', '-type', 'f', '-mtime', `+${days}`, '-delete'], options);
  await run(
    'find',
    [folder, '-xdev', '-mindepth', '1', '-type', 'd', '-empty', '-mtime', '+1', '-delete'],
    options,
  );
};
