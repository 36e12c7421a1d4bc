import type { Command } from 'commander';
import { revokeRoleSessions } from '../access.ts';
import type { Context } from '../context.ts';
import type { ServerOptions } from '../server.ts';
import { apiCommand, connect, example } from './common.ts';

export const revokeSessionsCommand = (context: Context): Command =>
  apiCommand('revoke-sessions')
    .description(
      'End every session of a role that was begun until now; who may assume it can begin a new one.',
    )
    .argument('<role>', 'name of the role')
    .addHelpText('after', example('windsock revoke-sessions ci'))
    .action(async (role: string, o: ServerOptions) => {
      await revokeRoleSessions(connect(o, context).api, role);
      context.err(`Sessions of the role ${role} that were begun until now no longer count.\n`);
    });
