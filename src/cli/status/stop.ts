import { setTimeout as delay } from 'node:timers/promises';
import type { DataFolder } from '../../config/data-folder.ts';
import type { ServerFile } from '../../config/runtime-files.ts';
import { systemClock } from '../../lib/clock.ts';
import { codeOf } from '../../lib/errors.ts';
import { isAlive } from '../../lib/processes.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { readReport } from './read.ts';
import { type Report, stillRunning } from './report.ts';

export interface StopOptions {
  readonly folder: DataFolder;
  readonly keepRunning: boolean;
  /** Milliseconds to wait for the end. */
  readonly timeout: number;
  /** Says how long it takes already. */
  readonly tell: (text: string) => void;
}

/** What a stop found and left. */
export interface StopResult {
  /** The data folder. */
  readonly data: string;
  /** False when there was nothing to stop. */
  readonly wasRunning: boolean;
  readonly pid?: number;
  /** Milliseconds. */
  readonly took: number;
  /** What was running before, and what still is. */
  readonly before: readonly string[];
  readonly stillRunning: readonly string[];
}

const tellEvery = 5_000;

/** The process of the server, unless it has ended and its number belongs to another now. */
const livingServer = (report: Report): Pick<ServerFile, 'pid' | 'startTime'> | undefined => {
  const { pid, startTime, bootId } = report.server;
  if (pid === undefined || startTime === undefined || bootId !== systemClock.bootId) return undefined;
  return isAlive({ pid, startTime }) ? { pid, startTime } : undefined;
};

const send = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return;
    throw new CliError(`The server (pid ${pid}) cannot be stopped.`, {
      why: 'It belongs to another account.',
      todo: 'Run this command as that account, for instance with sudo.',
      cause: error,
    });
  }
};

/** A second TERM means "do not wait for tasks": one that stops already only is waited for. */
const ask = (report: Report, pid: number, keepRunning: boolean): void => {
  if (report.server.state === 'paused') send(pid, 'SIGCONT');
  if (report.server.state !== 'stopping') send(pid, keepRunning ? 'SIGUSR2' : 'SIGTERM');
};

const waitForEnd = async (
  server: Pick<ServerFile, 'pid' | 'startTime'>,
  o: StopOptions,
  context: Context,
): Promise<number> => {
  const began = performance.now();
  let told = 0;
  while (isAlive(server)) {
    const waited = performance.now() - began;
    if (waited > o.timeout)
      throw new CliError(`The server (pid ${server.pid}) still runs after ${Math.round(waited / 1000)} s.`, {
        why: 'It waits for the tasks that run, or something holds it.',
        todo: `Wait on with "windsock stop", or let it end without waiting for tasks: kill -TERM ${server.pid}`,
      });
    if (waited - told >= tellEvery) {
      told = waited;
      o.tell(`still stopping (${Math.round(waited / 1000)} s)`);
    }
    await delay(50, undefined, { signal: context.signal });
  }
  return Math.round(performance.now() - began);
};

/**
 * Stops the server of a data folder and waits for its end; `keepRunning` leaves PostgreSQL and Airflow to the next
 * start. A process that only has the number of the server is never signalled. Throws CliError.
 */
export const stopServer = async (o: StopOptions, context: Context): Promise<StopResult> => {
  const report = readReport(o.folder);
  const server = livingServer(report);
  const before = stillRunning(report);
  if (!server) return { data: report.data, wasRunning: false, took: 0, before, stillRunning: before };
  o.tell(`stopping the server (pid ${server.pid})`);
  ask(report, server.pid, o.keepRunning);
  const took = await waitForEnd(server, o, context);
  const after = stillRunning(readReport(o.folder));
  return { data: report.data, wasRunning: true, pid: server.pid, took, before, stillRunning: after };
};
