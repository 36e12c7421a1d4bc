import type { Command } from 'commander';
import { isoTime } from '../../lib/iso-time.ts';
import { getContent, outcomeText } from '../content.ts';
import type { Context } from '../context.ts';
import { factsText, plain, printJson, tableText } from '../output.ts';
import type { ServerOptions } from '../server.ts';
import { apiCommand, connect, example } from './common.ts';

/** `windsock content ENV` */
export const contentCommand = (context: Context): Command =>
  apiCommand('content')
    .description('Show the DAG files that are live in an environment, and what Airflow made of each.')
    .argument('<env>', 'name of the environment')
    .option('--json', 'for programs')
    .addHelpText('after', example('windsock content demo'))
    .action(async (name: string, o: ServerOptions & { readonly json?: boolean }) => {
      const content = await getContent(connect(o, context).api, name);
      if (o.json) return printJson(context, content);
      const { Version, Since, FollowedFolder, BucketServer, Fault, Files } = content;
      const failed = Files.filter(({ State }) => State === 'failed').length;
      context.out(
        factsText({
          version: Version,
          since: Since === 0 ? undefined : isoTime(Since * 1000),
          folder: FollowedFolder,
          'bucket at': BucketServer && (BucketServer.Endpoint ?? `AWS, ${BucketServer.Region}`),
          files: String(Files.length),
          'import errors': failed === 0 ? undefined : String(failed),
          'not up to date': Fault && `since ${isoTime(Fault.Since * 1000)}: ${plain(Fault.Message)}`,
        }),
      );
      if (Files.length === 0) return;
      const rows = Files.map((file) => [file.Path, isoTime(file.At * 1000), outcomeText(file)]);
      context.out(`\n${tableText(['FILE', 'SINCE', 'AIRFLOW'], rows)}`);
    });
