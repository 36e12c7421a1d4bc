import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import type { DataFolder } from '../../config/data-folder.ts';
import { serverFileSchema, statusFileSchema } from '../../config/runtime-files.ts';
import { systemClock } from '../../lib/clock.ts';
import { codeOf } from '../../lib/errors.ts';
import { type ProcessId, processes, processFacts } from '../../lib/processes.ts';
import { CliError } from '../errors.ts';
import { type Found, type Report, reportOf } from './report.ts';

/** The content of a file; undefined when it is missing or damaged: the rest still says something. */
const readFile = <T>(schema: z.ZodType<T>, file: string): T | undefined => {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    if (codeOf(error) === 'EACCES')
      throw new CliError(`Cannot read ${file}.`, {
        why: 'It belongs to the account that runs the server.',
        todo: 'Run this command as that account, for instance with sudo.',
        cause: error,
      });
    return undefined;
  }
};

/** The first line of PostgreSQL's pid file is its pid; its working directory is the cluster, which no other has. */
const postmasterOf = (f: DataFolder): ProcessId | undefined => {
  const cluster = join(f.postgres, 'data');
  try {
    const pid = Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n', 1)[0]);
    return readlinkSync(`/proc/${pid}/cwd`) === cluster ? processFacts(pid) : undefined;
  } catch {
    return undefined;
  }
};

/** What the data folder says. Asks no server: it answers on the worst day. Throws CliError when it is not ours to read. */
const findAll = (f: DataFolder): Found => ({
  data: f.root,
  server: readFile(serverFileSchema, f.server),
  status: readFile(statusFileSchema, f.status),
  postmaster: postmasterOf(f),
});

/** How everything is now. Throws CliError. */
export const readReport = (f: DataFolder): Report =>
  reportOf(findAll(f), { bootId: systemClock.bootId, processes: processes() });
