import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { z } from 'zod';
import type { Context } from '../context.ts';
import { printJson } from '../output.ts';
import { example } from './common.ts';

const ownVersion = (): string => {
  const file = new URL('../../../package.json', import.meta.url);
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(file, 'utf8'))).version;
};

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
