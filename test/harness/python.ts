import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { plainEnvironment, repository, tools } from './tools.ts';

export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end with exactly this environment; killed after `seconds`. */
export const runProgram = (
  program: string,
  args: readonly string[],
  o: {
    env?: Readonly<Record<string, string>>;
    input?: string;
    seconds?: number;
    cwd?: string;
    uid?: number;
    gid?: number;
  } = {},
): Promise<ProgramResult> =>
  new Promise((resolve, reject) => {
    const { env = plainEnvironment('/nonexistent'), input = '', seconds = 120, ...rest } = o;
    const options = {
      ...rest,
      env: { ...env },
      timeout: seconds * 1000,
      maxBuffer: 64 * 1024 * 1024,
      killSignal: 'SIGKILL' as const,
    };
    const child = execFile(program, [...args], options, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number')
        reject(new Error(`${program} ${args[0] ?? ''}: ${error.message}\n${stdout}${stderr}`));
      else resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
    child.stdin?.end(input);
  });

/** The clients' Python. */
export const python = (): string => join(tools().clients, 'bin', 'python');

/** Runs a script of test/clients: JSON in, JSON out. */
export const runClient = async <T>(
  script: string,
  input: object,
  o: { env?: Readonly<Record<string, string>>; seconds?: number } = {},
): Promise<T> => {
  const env = { ...plainEnvironment('/nonexistent'), ...o.env };
  const file = join(repository, 'test', 'clients', script);
  const result = await runProgram(python(), [file], { ...o, env, input: JSON.stringify(input) });
  if (result.code !== 0) throw new Error(`${script} ended with ${result.code}:\n${result.stderr}`);
  return JSON.parse(result.stdout) as T;
};
