import { type Command, InvalidArgumentError } from 'commander';
import type { Context } from '../context.ts';
import { exitCodes } from '../errors.ts';
import { printJson } from '../output.ts';
import { paths } from '../server.ts';
import { type StopResult, stopServer } from '../status/stop.ts';
import { example, localCommand } from './common.ts';

const patience = 180;

const seconds = (text: string): number => {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('Give a number of seconds above 0.');
};

interface Options {
  readonly data?: string;
  readonly keepRunning?: boolean;
  readonly timeout: number;
  readonly json?: boolean;
}

const toEnd = 'Start the server and stop it again to end them: windsock start, windsock stop\n';

/** The result, for people. */
export const stopText = (r: StopResult, keepRunning: boolean): string => {
  const left = r.stillRunning.length === 0 ? '' : `Still running: ${r.stillRunning.join(', ')}.\n`;
  if (!r.wasRunning) return `Windsock is not running on ${r.data}.\n${left}${left === '' ? '' : toEnd}`;
  const took = `The server has ended after ${(r.took / 1000).toFixed(1)} s.\n`;
  if (keepRunning)
    return `${took}${left === '' ? 'Nothing else was running.\n' : `${left}The next start takes them over.\n`}`;
  if (left !== '') return `${took}${left}${toEnd}`;
  return `${took}${r.before.length === 0 ? '' : `Ended with it: ${r.before.join(', ')}.\n`}`;
};

export const stopCommand = (context: Context): Command => {
  const command = localCommand('stop')
    .description('Stop the server and everything it started, and wait for its end.')
    .option('--keep-running', 'stop the server only: PostgreSQL and Airflow go on for the next start')
    .option('--timeout <seconds>', 'how long to wait', seconds, patience)
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      `\nThe exit code is 0 when what was to end has ended, also long ago, ${exitCodes.notRunning} when processes are left.`,
    )
    .addHelpText('after', example('windsock stop', 'windsock stop --keep-running'));
  return command.action(async (options: Options) => {
    const keepRunning = options.keepRunning === true;
    const result = await stopServer(
      {
        folder: paths(options, context),
        keepRunning,
        timeout: options.timeout * 1000,
        tell: (text) => context.err(`${text} …\n`),
      },
      context,
    );
    if (!keepRunning && result.stillRunning.length > 0)
      command.setOptionValue('exitCode', exitCodes.notRunning);
    if (options.json) return printJson(context, result);
    context.out(stopText(result, keepRunning));
  });
};
