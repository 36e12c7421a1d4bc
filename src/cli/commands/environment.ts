import { Command, Option } from 'commander';
import { type ApiClient, ApiError } from '../api-client.ts';
import type { Context } from '../context.ts';
import { changeBody, type EnvironmentChanges } from '../environment-changes.ts';
import {
  createEnvironment,
  deleteEnvironment,
  type Environment,
  getEnvironment,
  listEnvironments,
  stopOrStart,
  updateEnvironment,
} from '../mwaa.ts';
import { environmentBody, type NewEnvironmentOptions } from '../new-environment.ts';
import { factsText, printJson, tableText } from '../output.ts';
import type { ServerOptions } from '../server.ts';
import { waitGone, waitUntilAvailable } from '../wait.ts';
import { apiCommand, connect, example } from './common.ts';

type Json = ServerOptions & { readonly json?: boolean };

const addressOf = (e: Environment): string | undefined => e.WebserverUrl && `https://${e.WebserverUrl}`;

/** One that is deleted while we look is left out. */
const allEnvironments = async (api: ApiClient): Promise<readonly Environment[]> => {
  const environments: Environment[] = [];
  for (const name of await listEnvironments(api)) {
    const one = await getEnvironment(api, name).catch((error: unknown) => {
      if (error instanceof ApiError && error.code === 'ResourceNotFoundException') return undefined;
      throw error;
    });
    if (one) environments.push(one);
  }
  return environments;
};

const listCommand = (context: Context): Command =>
  apiCommand('list')
    .description('List the environments.')
    .option('--json', 'for programs')
    .addHelpText('after', example('windsock environment list'))
    .action(async (options: Json) => {
      const { api } = connect(options, context);
      const environments = await allEnvironments(api);
      if (options.json) return printJson(context, environments);
      const rows = environments.map((e) => [e.Name, e.Status, e.AirflowVersion ?? '', addressOf(e) ?? '']);
      context.out(tableText(['NAME', 'STATUS', 'AIRFLOW', 'ADDRESS'], rows));
    });

const getCommand = (context: Context): Command =>
  apiCommand('get')
    .description('Show one environment.')
    .argument('<env>', 'name of the environment')
    .option('--json', 'the answer of GetEnvironment')
    .addHelpText('after', example('windsock environment get demo'))
    .action(async (name: string, options: Json) => {
      const e = await getEnvironment(connect(options, context).api, name);
      if (options.json) return printJson(context, e);
      context.out(
        factsText({
          Name: e.Name,
          Status: e.Status,
          'Airflow version': e.AirflowVersion,
          Class: e.EnvironmentClass,
          Address: addressOf(e),
          Bucket: e.SourceBucketArn,
          'DAGs path': e.DagS3Path,
          Arn: e.Arn,
          Created: e.CreatedAt === undefined ? undefined : new Date(e.CreatedAt * 1000).toISOString(),
          'Last update': e.LastUpdate?.Status,
          Error: e.LastUpdate?.Error?.ErrorMessage,
        }),
      );
    });

const createCommand = (context: Context): Command =>
  apiCommand('create')
    .description('Create an environment.')
    .argument('<env>', 'name of the environment')
    .requiredOption('--bucket <name>', 'bucket that holds the DAGs')
    .option('--dags-path <path>', 'folder of the DAGs in the bucket', 'dags')
    .option('--airflow-version <version>', 'Airflow version (the newest, when left out)')
    .option('--class <class>', 'environment class', 'mw1.small')
    .addOption(
      new Option(
        '--execution-role <arn>',
        'execution role (windsock-NAME, made where there is none, when left out)',
      ),
    )
    .option('--wait', 'wait until it is available and show progress')
    .option('--json', 'for programs')
    .addHelpText('after', example('windsock environment create team-a --bucket team-a --wait'))
    .action(async (name: string, options: Json & NewEnvironmentOptions & { wait?: boolean }) => {
      const { api, to } = connect(options, context);
      const arn = await createEnvironment(api, name, await environmentBody(name, options, api, to));
      const made = options.wait ? await waitUntilAvailable(api, name, context) : undefined;
      if (options.json) return printJson(context, made ?? { Arn: arn });
      context.out(made ? `${name} is available: ${addressOf(made) ?? arn}\n` : `Creating ${arn}\n`);
    });

const updateCommand = (context: Context): Command =>
  apiCommand('update')
    .description('Change an environment; what does not start is rolled back.')
    .argument('<env>', 'name of the environment')
    .option('--airflow-version <version>', 'another Airflow version')
    .option('--class <class>', 'another environment class')
    .option('--set <option=value...>', 'Airflow configuration options, like core.parallelism=4: all of them')
    .option('--no-options', 'no Airflow configuration options any more')
    .option('--graceful', 'let running tasks end first, for up to 12 hours')
    .option('--wait', 'wait until it is available and show progress')
    .option('--json', 'for programs')
    .addHelpText('after', example('windsock environment update team-a --set core.parallelism=4 --wait'))
    .action(async (name: string, options: Json & EnvironmentChanges & { wait?: boolean }) => {
      const body = changeBody(options);
      const { api } = connect(options, context);
      const arn = await updateEnvironment(api, name, body);
      const made = options.wait ? await waitUntilAvailable(api, name, context) : undefined;
      if (options.json) return printJson(context, made ?? { Arn: arn });
      context.out(made ? `${name} is updated.\n` : `Updating ${arn}\n`);
    });

const deleteCommand = (context: Context): Command =>
  apiCommand('delete')
    .description('Delete an environment with its database; the bucket stays.')
    .argument('<env>', 'name of the environment')
    .option('--wait', 'wait until it is gone')
    .option('--json', 'for programs')
    .addHelpText('after', example('windsock environment delete team-a --wait'))
    .action(async (name: string, options: Json & { wait?: boolean }) => {
      const { api } = connect(options, context);
      await deleteEnvironment(api, name);
      if (options.wait) await waitGone(api, name, context);
      if (options.json)
        return printJson(context, { Name: name, Status: options.wait ? 'DELETED' : 'DELETING' });
      context.out(options.wait ? `${name} is deleted.\n` : `Deleting ${name}.\n`);
    });

const stopCommand = (context: Context): Command =>
  apiCommand('stop')
    .description('End the Airflow of an environment; its database, DAGs, settings and address stay.')
    .argument('<env>', 'name of the environment')
    .option('--json', 'for programs')
    .addHelpText('after', example('windsock environment stop team-a'))
    .action(async (name: string, options: Json) => {
      await stopOrStart(connect(options, context).api, name, 'stop');
      if (options.json) return printJson(context, { Name: name, Stopped: true });
      context.out(`Stopping ${name}. Start it again: windsock environment start ${name}\n`);
    });

const startCommand = (context: Context): Command =>
  apiCommand('start')
    .description('Start the Airflow of an environment that was stopped.')
    .argument('<env>', 'name of the environment')
    .option('--json', 'for programs')
    .addHelpText('after', example('windsock environment start team-a'))
    .action(async (name: string, options: Json) => {
      await stopOrStart(connect(options, context).api, name, 'start');
      if (options.json) return printJson(context, { Name: name, Stopped: false });
      context.out(`Starting ${name}. Open it: windsock open ${name}\n`);
    });

export const environmentCommand = (context: Context): Command =>
  new Command('environment')
    .description('Create, look at, change, stop, start and delete environments.')
    .addCommand(listCommand(context))
    .addCommand(getCommand(context))
    .addCommand(createCommand(context))
    .addCommand(updateCommand(context))
    .addCommand(stopCommand(context))
    .addCommand(startCommand(context))
    .addCommand(deleteCommand(context));
