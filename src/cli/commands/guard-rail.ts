import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { textOf } from '../../lib/errors.ts';
import { deleteGuardRail, getGuardRail, putGuardRail } from '../access.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { printJson } from '../output.ts';
import type { ServerOptions } from '../server.ts';
import { apiCommand, connect, example } from './common.ts';

type Json = ServerOptions & { readonly json?: boolean };

const readPolicy = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CliError(`Cannot read ${file}.`, { why: textOf(error), cause: error });
  }
};

const showCommand = (context: Context): Command =>
  apiCommand('show')
    .description('Print the guard rail.')
    .option('--json', 'the answer of GetGuardRail')
    .addHelpText('after', example('windsock guard-rail show'))
    .action(async (o: Json) => {
      const found = await getGuardRail(connect(o, context).api);
      if (o.json) printJson(context, found);
      else context.out(`${found.PolicyDocument.trimEnd()}\n`);
    });

const setCommand = (context: Context): Command =>
  apiCommand('set')
    .description('Set the guard rail: what this policy does not allow, nobody but root may do.')
    .argument('<file>', 'policy document (JSON)')
    .addHelpText('after', example('windsock guard-rail set guard-rail.json'))
    .action(async (file: string, o: ServerOptions) => {
      await putGuardRail(connect(o, context).api, readPolicy(file));
      context.err('The guard rail is set.\n');
    });

const removeCommand = (context: Context): Command =>
  apiCommand('remove')
    .description('Remove the guard rail: policies alone decide.')
    .addHelpText('after', example('windsock guard-rail remove'))
    .action(async (o: ServerOptions) => {
      await deleteGuardRail(connect(o, context).api);
      context.err('The guard rail is removed.\n');
    });

export const guardRailCommand = (context: Context): Command =>
  new Command('guard-rail')
    .description('The policy over everybody in the account but root.')
    .addCommand(showCommand(context))
    .addCommand(setCommand(context))
    .addCommand(removeCommand(context));
