import type { WindsockOperationName } from '../../contract/windsock-operations.ts';
import type { Operation } from '../operation.ts';
import { explainAccess } from './explain-access.ts';
import { explainEnvironmentAccess } from './explain-environment-access.ts';
import { getContent } from './get-content.ts';
import { deleteGuardRail, getGuardRail, putGuardRail } from './guard-rail.ts';
import { listSessions } from './list-sessions.ts';
import { revokeRoleSessions } from './revoke-role-sessions.ts';
import { revokeSession } from './revoke-session.ts';
import { startEnvironment } from './start-environment.ts';
import { stopEnvironment } from './stop-environment.ts';

/** Every operation of our own, by its name. */
export const windsockServed: Readonly<Record<WindsockOperationName, Operation>> = {
  StopEnvironment: stopEnvironment,
  StartEnvironment: startEnvironment,
  GetContent: getContent,
  ExplainAccess: explainAccess,
  ExplainEnvironmentAccess: explainEnvironmentAccess,
  PutGuardRail: putGuardRail,
  GetGuardRail: getGuardRail,
  DeleteGuardRail: deleteGuardRail,
  RevokeRoleSessions: revokeRoleSessions,
  ListSessions: listSessions,
  RevokeSession: revokeSession,
};
