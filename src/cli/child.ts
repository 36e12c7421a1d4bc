import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Context } from './context.ts';
import { CliError } from './errors.ts';

/** The programs beside this one: the server, and what backs up and restores. */
export type Program = 'main' | 'maintain';

/** TypeScript in a clone, JavaScript in the package. */
const fileOf = (program: Program): string => {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`../${program}.${extension}`, import.meta.url));
};

const passedOn = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** Numbers of signals as a shell reports them: 128 and the number. */
const codeOfSignal: Partial<Record<NodeJS.Signals, number>> = {
  SIGHUP: 129,
  SIGINT: 130,
  SIGKILL: 137,
  SIGTERM: 143,
};

/** Runs a program of ours in this terminal, passes signals on and gives its exit code. */
export const runProgram = (program: Program, args: readonly string[], context: Context): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [fileOf(program), ...args], {
      stdio: 'inherit',
      env: { ...context.env },
    });
    const handlers = passedOn.map((signal) => ({ signal, pass: () => void child.kill(signal) }));
    for (const { signal, pass } of handlers) process.on(signal, pass);
    child.once('error', (error) =>
      reject(new CliError('The program could not be started.', { why: error.message })),
    );
    child.once('exit', (code, signal) => {
      for (const { signal: name, pass } of handlers) process.off(name, pass);
      resolve(code ?? codeOfSignal[signal ?? 'SIGTERM'] ?? 1);
    });
  });
