import type { Checked } from '../../contract/constraints.ts';
import { resourceNotFoundException, validationException } from '../../contract/errors.ts';
import { revokeSessionInput } from '../../contract/shapes/sessions.ts';
import { failpoint } from '../../lib/failpoint.ts';
import type { EndedSession } from '../../tokens/session-store.ts';
import type { Operation, Output } from '../operation.ts';
import { sessionsAskedFor, sessionsResource } from './which-sessions.ts';

/** Sessions that are named one by one in the audit entry. */
const mostNamed = 100;

/** Nothing at all must not mean everything. */
const checkAsked = (input: Checked): void => {
  const given = ['SessionId', 'EnvironmentName', 'Principal'].filter((member) => input[member] !== undefined);
  const all = input['All'] === true;
  if (given.length === 0 && !all)
    throw validationException(
      'Give SessionId, EnvironmentName or Principal, or All for every session there is.',
    );
  if (given.length > 0 && all) throw validationException(`Give either All or ${given.join(' and ')}.`);
};

const entryOf = (ended: readonly EndedSession[]): Output => ({
  count: ended.length,
  sessions: ended.slice(0, mostNamed).map(({ id, environmentId, airflowIdentity }) => ({
    id,
    environmentId,
    AirflowIdentity: airflowIdentity,
  })),
});

/** Ends sessions as of now; what they have open is cut. Whoever still has the right can sign in again. */
export const revokeSession: Operation = {
  name: 'RevokeSession',
  input: revokeSessionInput,
  action: 'windsock:RevokeSession',
  checks: async ({ input }, deps) => [
    { action: 'windsock:RevokeSession', ...(await sessionsResource(input, deps)) },
  ],
  auditsSuccess: true,
  execute: async (call, deps) => {
    checkAsked(call.input);
    const filter = await sessionsAskedFor(call.input, deps);
    const { ended, announce } = await deps.store.inTransaction(async (tx) => {
      const revoked = await deps.sessions.endWhere(tx, filter, 'revoked');
      if (filter.id !== undefined && revoked.ended.length === 0)
        throw resourceNotFoundException(`There is no session ${filter.id}, or it has ended.`);
      await deps.audit.write(call.auditEntry({ responseElements: entryOf(revoked.ended) }), tx);
      failpoint('revoke:before-commit');
      return revoked;
    });
    announce();
    return { Revoked: ended.length };
  },
};
