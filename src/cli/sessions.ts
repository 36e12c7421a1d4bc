import { z } from 'zod';
import type { ApiClient } from './api-client.ts';

const session = z.looseObject({
  SessionId: z.string(),
  EnvironmentName: z.string(),
  Principal: z.string(),
  AirflowIdentity: z.string(),
  Kind: z.string(),
  SourceIp: z.string(),
  CreatedAt: z.number(),
  LastSeenAt: z.number(),
  ExpiresAt: z.number(),
});
export type Session = z.infer<typeof session>;

const page = z.object({ Sessions: z.array(session), NextToken: z.string().nullish() });

export interface WhichSessions {
  readonly EnvironmentName?: string;
  readonly Principal?: string;
}

/** Every living session, page by page. */
export const listSessions = async (api: ApiClient, which: WhichSessions): Promise<readonly Session[]> => {
  const sessions: Session[] = [];
  let next: string | undefined;
  do {
    const query = { ...which, MaxResults: '100', ...(next === undefined ? {} : { NextToken: next }) };
    const answer = await api.call(page, {
      ...{ method: 'GET', path: '/windsock/sessions', service: 'windsock' },
      query,
    });
    sessions.push(...answer.Sessions);
    next = answer.NextToken ?? undefined;
  } while (next !== undefined);
  return sessions;
};

/** Ends sessions; gives how many. */
export const revokeSessions = async (
  api: ApiClient,
  which: WhichSessions & { readonly SessionId?: string; readonly All?: true },
): Promise<number> => {
  const call = {
    method: 'POST',
    path: '/windsock/sessions/revoke',
    service: 'windsock',
    body: which,
  } as const;
  return (await api.call(z.object({ Revoked: z.number() }), call)).Revoked;
};
