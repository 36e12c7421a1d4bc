import { Command } from 'commander';
import { ownVersion } from '../../lib/own-version.ts';
import type { Context } from '../context.ts';
import { printJson } from '../output.ts';
import { example } from './common.ts';

export const versionCommand = (context: Context): Command =>
  new Command('version')
    .description('Print the version of Windsock.')
    .option('--json', 'for programs')
    .addHelpText('after', example('windsock version'))
    .action((options: { json?: boolean }) => {
      const versions = { windsock: ownVersion(), node: process.versions.node };
      if (options.json) return printJson(context, versions);
      context.out(`windsock ${versions.windsock} (Node ${versions.node})\n`);
    });
