import { Command } from 'commander';
import { runProgram } from '../child.ts';
import type { Context } from '../context.ts';
import { example } from './common.ts';

interface Options {
  readonly data: string;
  readonly json?: boolean;
}

export const restoreCommand = (context: Context): Command => {
  const command = new Command('restore')
    .description('Make a data folder from a backup. Tokens and sessions from before are worth nothing in it.')
    .argument('<file>', 'file that "windsock backup" wrote')
    .requiredOption('--data <dir>', 'data folder to make: empty, or not there')
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      example('windsock restore /mnt/backup/windsock-monday.tar.gz --data /var/lib/windsock'),
    );
  return command.action(async (file: string, o: Options) => {
    const args = ['restore', '--data', o.data, ...(o.json ? ['--json'] : []), '--', file];
    command.setOptionValue('exitCode', await runProgram('maintain', args, context));
  });
};
