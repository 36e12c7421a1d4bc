import { Command } from 'commander';
import { runProgram } from '../child.ts';
import type { Context } from '../context.ts';
import { example } from './common.ts';

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
    command.setOptionValue('exitCode', await runProgram('main', command.args, context));
  });
};
