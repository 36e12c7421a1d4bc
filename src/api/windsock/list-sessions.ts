import { validationException } from '../../contract/errors.ts';
import { listSessionsInput } from '../../contract/shapes/sessions.ts';
import type { ListedSession, SessionPosition } from '../../tokens/session-store.ts';
import { type Operation, type Output, optionalString } from '../operation.ts';
import { sessionsAskedFor, sessionsResource } from './which-sessions.ts';

const usualPage = 50;

const encode = ({ createdAt, id }: SessionPosition): string =>
  Buffer.from(JSON.stringify([createdAt, id])).toString('base64url');

/** A token only says where to go on: it needs no secret. */
const decode = (token: string): SessionPosition => {
  try {
    const [createdAt, id] = JSON.parse(Buffer.from(token, 'base64url').toString()) as unknown[];
    if (typeof createdAt === 'number' && typeof id === 'string' && encode({ createdAt, id }) === token)
      return { createdAt, id };
  } catch {
    // Not one of ours: answered below.
  }
  throw validationException('NextToken is not valid. Send the NextToken of the previous answer, unchanged.');
};

const shown = (s: ListedSession): Output => ({
  SessionId: s.id,
  EnvironmentName: s.environmentName,
  Principal: s.mint.principal.arn,
  AirflowIdentity: s.airflowIdentity,
  Kind: s.kind,
  SourceIp: s.mint.sourceIp,
  UserAgent: s.mint.userAgent,
  CreatedAt: s.createdAt / 1000,
  LastSeenAt: s.lastSeenAt / 1000,
  ExpiresAt: s.expiresAt / 1000,
});

/** Who is signed in where, newest first. */
export const listSessions: Operation = {
  name: 'ListSessions',
  input: listSessionsInput,
  action: 'windsock:ListSessions',
  checks: async (asked, deps) => [
    { action: 'windsock:ListSessions', ...(await sessionsResource(asked.input, deps)) },
  ],
  auditsSuccess: false,
  execute: async ({ input }, deps) => {
    const limit = (input['MaxResults'] as number | undefined) ?? usualPage;
    const token = optionalString(input, 'NextToken');
    const before = token === undefined || token === '' ? undefined : decode(token);
    const found = await deps.sessions.list(await sessionsAskedFor(input, deps), { before, limit: limit + 1 });
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return {
      Sessions: page.map(shown),
      ...(found.length > limit && last ? { NextToken: encode(last) } : {}),
    };
  },
};
