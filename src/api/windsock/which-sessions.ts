import { environmentArn } from '../../contract/arn.ts';
import type { Checked } from '../../contract/constraints.ts';
import { resourceNotFoundException } from '../../contract/errors.ts';
import type { SessionFilter } from '../../tokens/session-store.ts';
import type { ApiDeps } from '../deps.ts';
import { environmentContext } from '../mwaa/rights.ts';
import { type Check, optionalString } from '../operation.ts';

const environmentIdOf = async (name: string, deps: ApiDeps): Promise<string> => {
  const { accountId, region } = deps;
  const found = await deps.store.find({ accountId, region, name });
  if (found) return found.id;
  throw resourceNotFoundException(`No environment named ${name} found.`);
};

/** The sessions that a request means. Throws ResourceNotFoundException for an environment that is not there. */
export const sessionsAskedFor = async (input: Checked, deps: ApiDeps): Promise<SessionFilter> => {
  const [name, person] = [optionalString(input, 'EnvironmentName'), optionalString(input, 'Principal')];
  const id = optionalString(input, 'SessionId');
  return {
    ...(id === undefined ? {} : { id }),
    ...(person === undefined ? {} : { person }),
    ...(name === undefined ? {} : { environmentId: await environmentIdOf(name, deps) }),
  };
};

/**
 * What the right is asked on: the environment that is named, or that the session is at; everything otherwise, and for
 * a session that is not there, so that nobody learns which ids are.
 */
export const sessionsResource = async (
  input: Checked,
  deps: ApiDeps,
): Promise<Pick<Check, 'resources' | 'context'>> => {
  const id = optionalString(input, 'SessionId');
  const [session] = id === undefined ? [] : await deps.sessions.list({ id }, { before: undefined, limit: 1 });
  const name = optionalString(input, 'EnvironmentName') ?? session?.environmentName;
  if (name === undefined) return { resources: ['*'] };
  return { resources: [environmentArn(deps, name)], context: await environmentContext(name, deps) };
};
