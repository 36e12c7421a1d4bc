import { Command, Option } from 'commander';
import { type ApiClient, createApiClient } from '../api-client.ts';
import type { Context } from '../context.ts';
import { type Connection, connection, type ServerOptions } from '../server.ts';

/** A command that reads the data folder of a server. */
export const localCommand = (name: string): Command =>
  new Command(name).addOption(
    new Option(
      '--data <dir>',
      'data folder of the server (as root /var/lib/windsock, else ~/.local/share/windsock)',
    ),
  );

/** A command that calls the API. */
export const apiCommand = (name: string): Command =>
  localCommand(name).addOption(
    new Option(
      '--endpoint <url>',
      'the server to call (else AWS_ENDPOINT_URL_MWAA, else the data folder says)',
    ),
  );

export const connect = (options: ServerOptions, context: Context): { to: Connection; api: ApiClient } => {
  const to = connection(options, context);
  return { to, api: createApiClient(to, context.signal) };
};

/** One example below the help. */
export const example = (...lines: readonly string[]): string =>
  `\nExample:\n${lines.map((line) => `  $ ${line}`).join('\n')}`;
