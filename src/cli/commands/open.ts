import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { ApiClient } from '../api-client.ts';
import { findBrowser, openBrowser } from '../browser.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { writeLoginPage } from '../login-page.ts';
import { createWebLoginToken, listEnvironments, loginUrl } from '../mwaa.ts';
import type { ServerOptions } from '../server.ts';
import { apiCommand, connect, example } from './common.ts';

/** A browser that has to start first needs some seconds to read the page. */
const pageLives = 10_000;

const onlyEnvironment = async (api: ApiClient): Promise<string> => {
  const names = await listEnvironments(api);
  const [name] = names;
  if (name !== undefined && names.length === 1) return name;
  throw new CliError(name === undefined ? 'There is no environment yet.' : 'Which environment?', {
    todo:
      name === undefined
        ? 'Make one: windsock environment create NAME --bucket BUCKET'
        : `Name one of: ${names.join(', ')}`,
  });
};

const noBrowser = (name: string): CliError =>
  new CliError('No browser was found.', {
    why: 'There is no $BROWSER and no desktop to ask.',
    todo: `Print a login URL (60 seconds, one use) and open it yourself: windsock open ${name} --print`,
  });

const openPage = async (url: string, browser: string, name: string, context: Context): Promise<void> => {
  const page = writeLoginPage(url, context);
  try {
    if (!(await openBrowser(browser, page.url, context))) throw noBrowser(name);
    context.out(`Opening ${name} in the browser.\n`);
    await delay(pageLives, undefined, { signal: context.signal }).catch(() => undefined);
  } finally {
    page.remove();
  }
};

export const openCommand = (context: Context): Command =>
  apiCommand('open')
    .description('Sign in to an environment and open its Airflow in the browser.')
    .argument('[env]', 'name of the environment; may be left out when there is only one')
    .option('--print', 'print the login URL (60 seconds, one use) instead')
    .addHelpText('after', example('windsock open demo'))
    .action(async (given: string | undefined, options: ServerOptions & { print?: boolean }) => {
      const { api } = connect(options, context);
      const name = given ?? (await onlyEnvironment(api));
      const browser = options.print ? undefined : findBrowser(context);
      if (!options.print && browser === undefined) throw noBrowser(name);
      const url = loginUrl(await createWebLoginToken(api, name));
      if (browser === undefined) context.out(`${url}\n`);
      else await openPage(url, browser, name, context);
    });
