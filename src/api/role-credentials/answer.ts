import type { IncomingMessage } from 'node:http';
import { roleCredentialsPath } from '../../contract/role-credentials.ts';
import { splitTarget } from '../../identity/sigv4/canonical.ts';
import { isoTime } from '../../lib/iso-time.ts';
import { isLoopback, plainAddress } from '../../lib/plain-address.ts';
import { connectingUid } from '../../upstream/peer.ts';
import type { Exchange } from '../answer-call.ts';
import type { ApiDeps } from '../deps.ts';
import { endConnection, send } from '../send.ts';
import { giveRoleCredentials } from './give.ts';
import type { Given } from './given.ts';
import { toldTask } from './session-name.ts';

/** The query of a request for the credentials of an execution role; undefined for every other request. */
export const roleCredentialsQueryOf = (target: string): string | undefined => {
  const { path, query } = splitTarget(target);
  return path === roleCredentialsPath ? query : undefined;
};

/** As the AWS SDKs read it (AWS SDKs and Tools Reference Guide, "Container credential provider"). */
const bodyOf = (given: Given): object => {
  if (given.status !== 200) return { code: given.code, message: given.message };
  const { accessKeyId, secretAccessKey, sessionToken, expiresAt } = given.credentials;
  return {
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    Token: sessionToken,
    Expiration: isoTime(expiresAt),
    RoleArn: given.roleArn,
  };
};

const onlyGet: Given = {
  status: 405,
  code: 'MethodNotAllowed',
  message: 'Credentials are read with GET',
};

const headers = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' };

/** The account at the other end; nobody's when the connection does not come from this machine. */
const uidOf = async ({ socket }: IncomingMessage): Promise<number | undefined> => {
  if (!isLoopback(plainAddress(socket.remoteAddress))) return undefined;
  return connectingUid(socket).catch(() => undefined);
};

const giveTo = async ({ request, requestId }: Exchange, query: string, deps: ApiDeps): Promise<Given> => {
  if (request.method !== 'GET') return onlyGet;
  const { authorization = '', 'user-agent': userAgent = '' } = request.headers;
  return giveRoleCredentials(
    {
      token: authorization,
      uid: () => uidOf(request),
      sourceIp: plainAddress(request.socket.remoteAddress),
      userAgent: userAgent.slice(0, 1024),
      requestId,
      task: toldTask(query),
    },
    deps,
  );
};

/** Answers a process of an environment that asks for the credentials of the execution role. */
export const answerRoleCredentials = async (
  exchange: Exchange,
  query: string,
  deps: ApiDeps,
): Promise<void> => {
  const given = await giveTo(exchange, query, deps);
  // a body, which nobody reads, ends with the connection
  const more = given === onlyGet ? { ...endConnection, allow: 'GET' } : {};
  await send(exchange.response, { status: given.status, headers, body: JSON.stringify(bodyOf(given)) }, more);
};
