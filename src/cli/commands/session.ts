import { Command } from 'commander';
import { isoTime } from '../../lib/iso-time.ts';
import type { Context } from '../context.ts';
import { printJson, tableText } from '../output.ts';
import type { ServerOptions } from '../server.ts';
import { listSessions, revokeSessions, type Session, type WhichSessions } from '../sessions.ts';
import { apiCommand, connect, example } from './common.ts';

interface Which extends ServerOptions {
  readonly environment?: string;
  readonly person?: string;
  readonly all?: boolean;
  readonly json?: boolean;
}

const withWhich = (command: Command): Command =>
  command
    .option('--environment <env>', 'at this environment')
    .option('--person <name>', 'of this person: ARN, or the name that Airflow shows');

const whichOf = ({ environment, person }: Which): WhichSessions => ({
  ...(environment === undefined ? {} : { EnvironmentName: environment }),
  ...(person === undefined ? {} : { Principal: person }),
});

const row = (s: Session): readonly string[] => [
  s.SessionId,
  s.EnvironmentName,
  s.AirflowIdentity,
  s.Kind,
  s.SourceIp,
  isoTime(s.CreatedAt * 1000),
  isoTime(s.LastSeenAt * 1000),
];

const listCommand = (context: Context): Command =>
  withWhich(apiCommand('list'))
    .description('Show who is signed in where.')
    .option('--json', 'for programs')
    .addHelpText('after', example('windsock session list --environment demo'))
    .action(async (o: Which) => {
      const sessions = await listSessions(connect(o, context).api, whichOf(o));
      if (o.json) return printJson(context, sessions);
      const head = ['SESSION', 'ENVIRONMENT', 'PERSON', 'KIND', 'FROM', 'SINCE', 'SEEN'];
      context.out(tableText(head, sessions.map(row)));
    });

const revokeCommand = (context: Context): Command =>
  withWhich(apiCommand('revoke'))
    .description('End sessions at once: one, or those at an environment or of a person, or all.')
    .argument('[session]', 'id of a session')
    .option('--all', 'every session there is')
    .option('--json', 'for programs')
    .addHelpText('after', example('windsock session revoke --person user/ann'))
    .action(async (id: string | undefined, o: Which) => {
      const revoked = await revokeSessions(connect(o, context).api, {
        ...whichOf(o),
        ...(id === undefined ? {} : { SessionId: id }),
        ...(o.all ? { All: true as const } : {}),
      });
      if (o.json) return printJson(context, { Revoked: revoked });
      context.out(`${revoked} ended.\n`);
    });

export const sessionCommand = (context: Context): Command =>
  new Command('session')
    .description('Look after the sessions of people at web servers.')
    .addCommand(listCommand(context))
    .addCommand(revokeCommand(context));
