import { CommanderError } from 'commander';
import { textOf, WindsockError } from '../lib/errors.ts';
import type { Context } from './context.ts';

/** 0 done, 1 it failed, 2 the command line was wrong, 3 no server answered or not all is as wanted, 130 interrupted. */
export const exitCodes = { failed: 1, usage: 2, unreachable: 3, notRunning: 3, interrupted: 130 } as const;

/** An error for a person: what happened, why, and what to do about it. */
export class CliError extends Error {
  readonly why: string | undefined;
  readonly todo: string | undefined;
  readonly exitCode: number;

  constructor(what: string, o: { why?: string; todo?: string; exitCode?: number; cause?: unknown } = {}) {
    super(what, o.cause === undefined ? {} : { cause: o.cause });
    this.why = o.why;
    this.todo = o.todo;
    this.exitCode = o.exitCode ?? exitCodes.failed;
  }
}

const lines = (error: unknown): readonly string[] => {
  if (error instanceof CliError)
    return [error.message, error.why, error.todo].filter((line) => line !== undefined);
  return [error instanceof WindsockError ? error.publicText : textOf(error)];
};

/** Prints an error and gives the exit code. Commander prints its own errors and help. */
export const printError = (context: Context, error: unknown): number => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
  if (context.signal.aborted) return exitCodes.interrupted;
  const [what = '', ...rest] = lines(error);
  context.err(`windsock: ${what}\n${rest.map((line) => `  ${line}\n`).join('')}`);
  return error instanceof CliError ? error.exitCode : exitCodes.failed;
};
