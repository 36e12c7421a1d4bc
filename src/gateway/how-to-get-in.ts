import { isLoopback } from '../lib/plain-address.ts';
import { quotedWhereNeeded } from '../lib/shell.ts';
import type { DoorDeps } from './deps.ts';
import type { DoorFacts } from './door-facts.ts';
import type { DoorRequest } from './door-request.ts';
import { escapeHtml } from './page.ts';

/** The command that opens the environment; where the data folder is, is said on this machine only. */
const openCommand = ({ ownCommand }: DoorDeps, request: DoorRequest, door: DoorFacts): string => {
  const { program, data } = ownCommand;
  const folder =
    data !== undefined && isLoopback(request.clientIp) ? ` --data ${quotedWhereNeeded(data)}` : '';
  return `${program} open ${door.name}${folder}`;
};

/** How to get a web login token, as HTML. */
export const howToGetIn = (deps: DoorDeps, request: DoorRequest, door: DoorFacts): string => {
  const where = isLoopback(request.clientIp) ? 'this machine' : 'the machine that Windsock runs on';
  const folder = deps.ownCommand.program.startsWith('npx') ? ', in the folder of Windsock' : '';
  return (
    `<p>Open it from a terminal on ${where}${folder}:</p><pre>${escapeHtml(openCommand(deps, request, door))}</pre>` +
    `<p>Or ask the API for a web login token:</p><pre>aws mwaa create-web-login-token --name ${escapeHtml(door.name)}</pre>` +
    `<p>Within 60 seconds, open this address with the token in it:</p>` +
    `<pre>${escapeHtml(door.origin)}/aws_mwaa/aws-console-sso?login=true#TOKEN</pre>`
  );
};
