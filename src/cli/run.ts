import { Command } from 'commander';
import { auditCommand } from './commands/audit.ts';
import { backupCommand } from './commands/backup.ts';
import { contentCommand } from './commands/content.ts';
import { deployCommand } from './commands/deploy.ts';
import { envCommand } from './commands/env.ts';
import { environmentCommand } from './commands/environment.ts';
import { explainCommand } from './commands/explain.ts';
import { guardRailCommand } from './commands/guard-rail.ts';
import { openCommand } from './commands/open.ts';
import { restoreCommand } from './commands/restore.ts';
import { revokeSessionsCommand } from './commands/revoke-sessions.ts';
import { sessionCommand } from './commands/session.ts';
import { startCommand } from './commands/start.ts';
import { statusCommand } from './commands/status.ts';
import { stopCommand } from './commands/stop.ts';
import { tokenCommand } from './commands/token.ts';
import { trustCommand } from './commands/trust.ts';
import { versionCommand } from './commands/version.ts';
import type { Context } from './context.ts';
import { printError } from './errors.ts';

const commands = [
  startCommand,
  statusCommand,
  stopCommand,
  envCommand,
  openCommand,
  tokenCommand,
  environmentCommand,
  deployCommand,
  contentCommand,
  sessionCommand,
  explainCommand,
  guardRailCommand,
  revokeSessionsCommand,
  auditCommand,
  trustCommand,
  backupCommand,
  restoreCommand,
  versionCommand,
];

const applyEverywhere = (command: Command, change: (command: Command) => void): void => {
  change(command);
  for (const child of command.commands) applyEverywhere(child, change);
};

const pathOf = (command: Command): string =>
  command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();

/** The whole command line. Throws CommanderError instead of leaving the process. */
export const buildProgram = (context: Context): Command => {
  const program = new Command('windsock')
    .description('Managed Apache Airflow that you host yourself, with the API of Amazon MWAA.')
    .enablePositionalOptions()
    .addHelpText('after', '\nFirst steps:\n  $ windsock start\n  $ windsock open demo');
  for (const make of commands) program.addCommand(make(context));
  applyEverywhere(program, (command) => {
    command
      .exitOverride()
      .showHelpAfterError(`  More: ${pathOf(command)} --help`)
      .configureOutput({
        writeOut: context.out,
        writeErr: context.err,
        outputError: (text, write) => write(text.replace(/^error: /, 'windsock: ')),
        getOutHelpWidth: () => 100,
        getErrHelpWidth: () => 100,
        getOutHasColors: () => false,
        getErrHasColors: () => false,
      });
  });
  return program;
};

/** Runs one command line (without node and script) and gives the exit code. */
export const run = async (args: readonly string[], context: Context): Promise<number> => {
  const codes: number[] = [];
  const program = buildProgram(context);
  program.hook('postAction', (_, action) => {
    const code: unknown = action.getOptionValue('exitCode');
    if (typeof code === 'number') codes.push(code);
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return codes.at(-1) ?? 0;
  } catch (error) {
    return printError(context, error);
  }
};
