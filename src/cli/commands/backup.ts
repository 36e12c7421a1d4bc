import type { Command } from 'commander';
import { runProgram } from '../child.ts';
import type { Context } from '../context.ts';
import { example, localCommand } from './common.ts';

interface Options {
  readonly data?: string;
  readonly taskLogs: boolean;
  readonly json?: boolean;
}

export const backupCommand = (context: Context): Command => {
  const command = localCommand('backup')
    .description(
      'Write databases, keys, environments and buckets into one file; the server may run meanwhile.',
    )
    .argument('<file>', 'file to write, for instance windsock-backup.tar.gz; it must not be there')
    .option('--no-task-logs', 'leave out what tasks printed')
    .option('--json', 'for programs')
    .addHelpText('after', example('windsock backup /mnt/backup/windsock-monday.tar.gz'));
  return command.action(async (file: string, o: Options) => {
    const args = [
      ...['backup', ...(o.data === undefined ? [] : ['--data', o.data])],
      ...(o.taskLogs ? [] : ['--no-task-logs']),
      ...(o.json ? ['--json'] : []),
      ...['--', file],
    ];
    command.setOptionValue('exitCode', await runProgram('maintain', args, context));
  });
};
