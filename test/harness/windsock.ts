import { type ProgramResult, runProgram } from './python.ts';
import type { Place } from './server.ts';
import { compiled, plainEnvironment, windsockProgram } from './tools.ts';

/** The command `windsock` about the data folder of a place, to its end. */
export const runWindsock = (
  { data }: Place,
  args: readonly string[],
  o: { readonly home?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<ProgramResult> =>
  runProgram(process.execPath, [windsockProgram('cli/main'), ...args, '--data', data], {
    env: { ...plainEnvironment(o.home ?? process.env['HOME'] ?? '/'), ...compiled(), ...o.env },
  });
