import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { example } from './common.ts';

/** The server beside us: TypeScript in a clone, JavaScript in the package. */
const serverFile = (): string => {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`../../main.${extension}`, import.meta.url));
};

const passedOn = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** Numbers of signals as a shell reports them: 128 and the number. */
const codeOfSignal: Partial<Record<NodeJS.Signals, number>> = {
  SIGHUP: 129,
  SIGINT: 130,
  SIGKILL: 137,
  SIGTERM: 143,
};

/** Runs the server in this terminal, passes signals on and gives its exit code. */
const runServer = (args: readonly string[], context: Context): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [serverFile(), ...args], {
      stdio: 'inherit',
      env: { ...context.env },
    });
    const handlers = passedOn.map((signal) => ({ signal, pass: () => void child.kill(signal) }));
    for (const { signal, pass } of handlers) process.on(signal, pass);
    child.once('error', (error) =>
      reject(new CliError('The server could not be started.', { why: error.message })),
    );
    child.once('exit', (code, signal) => {
      for (const { signal: name, pass } of handlers) process.off(name, pass);
      resolve(code ?? codeOfSignal[signal ?? 'SIGTERM'] ?? 1);
    });
  });

export const startCommand = (context: Context): Command => {
  const command = new Command('start')
    .description('Start the server in this terminal; Ctrl-C stops it and everything it started.')
    .argument(
      '[options...]',
      'options of the server: --data, --port, --airflow-version, --environment, --dags, --no-demo',
    )
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .addHelpText('after', example('windsock start --dags ./dags'));
  return command.action(async () => {
    command.setOptionValue('exitCode', await runServer(command.args, context));
  });
};
