import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { exitCodes } from '../errors.ts';
import { printJson } from '../output.ts';
import { paths } from '../server.ts';
import { readReport } from '../status/read.ts';
import { statusText } from '../status/text.ts';
import { example, localCommand } from './common.ts';

export const statusCommand = (context: Context): Command => {
  const command = localCommand('status')
    .description(
      'Show the server, PostgreSQL, every environment and its components; also when the server is down.',
    )
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      `\nThe exit code is 0 when everything runs as it should, ${exitCodes.notRunning} when something does not.`,
    )
    .addHelpText('after', example('windsock status'));
  return command.action((options: { data?: string; json?: boolean }) => {
    const report = readReport(paths(options, context));
    if (!report.ok) command.setOptionValue('exitCode', exitCodes.notRunning);
    if (options.json) return printJson(context, report);
    context.out(statusText(report, Date.now()));
  });
};
