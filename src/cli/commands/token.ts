import { Command } from 'commander';
import type { Context } from '../context.ts';
import { createCliToken, createWebLoginToken, loginUrl } from '../mwaa.ts';
import { printJson } from '../output.ts';
import type { ServerOptions } from '../server.ts';
import { apiCommand, connect, example } from './common.ts';

type Options = ServerOptions & { readonly json?: boolean };

const webCommand = (context: Context): Command =>
  apiCommand('web')
    .description('Mint a web login token and print the URL that it opens (60 seconds, one use).')
    .argument('<env>', 'name of the environment')
    .option('--json', 'the answer of CreateWebLoginToken, and LoginUrl')
    .addHelpText('after', example('windsock token web demo'))
    .action(async (name: string, options: Options) => {
      const token = await createWebLoginToken(connect(options, context).api, name);
      const url = loginUrl(token);
      if (options.json) return printJson(context, { ...token, LoginUrl: url });
      context.out(`${url}\n`);
    });

const cliCommand = (context: Context): Command =>
  apiCommand('cli')
    .description('Mint a CLI token and print it (60 seconds).')
    .argument('<env>', 'name of the environment')
    .option('--json', 'the answer of CreateCliToken, and Url')
    .addHelpText('after', example('windsock token cli demo --json'))
    .action(async (name: string, options: Options) => {
      const token = await createCliToken(connect(options, context).api, name);
      const url = `https://${token.WebServerHostname}/aws_mwaa/cli`;
      if (options.json) return printJson(context, { ...token, Url: url });
      context.out(`${token.CliToken}\n`);
      context.err(`For POST ${url}\n`);
    });

export const tokenCommand = (context: Context): Command =>
  new Command('token')
    .description('Mint short-lived tokens.')
    .addCommand(webCommand(context))
    .addCommand(cliCommand(context));
