import { maybeEmpty, type StructureShape, structure, text } from '../shape.ts';
import { environmentName } from './members.ts';

/** Which sessions: those at an environment, of a person (ARN, or the name that Airflow knows), or both. */
const which = { EnvironmentName: environmentName, Principal: text(2_048) };

export const listSessionsInput: StructureShape = structure({
  ...which,
  MaxResults: { kind: 'integer', min: 1, max: 100 },
  NextToken: maybeEmpty(2_048),
});

/** One session, those of an environment or a person, or with `All` every one. */
export const revokeSessionInput: StructureShape = structure({
  ...which,
  SessionId: text(64, '[\\w-]+'),
  All: { kind: 'boolean' },
});
