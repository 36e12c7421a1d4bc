import type { EnvironmentRecord } from '../environments/record.ts';
import { Refusal } from './answer.ts';
import type { DoorDeps } from './deps.ts';
import type { DoorFacts } from './door-facts.ts';

/** The record as it is now, for what begins something new. Throws Refusal once the environment is being deleted. */
export const livingRecord = async (
  deps: Pick<DoorDeps, 'environments'>,
  door: DoorFacts,
): Promise<EnvironmentRecord> => {
  const record = await deps.environments.findById(door.id);
  if (record && record.status !== 'DELETING' && record.status !== 'DELETED') return record;
  throw new Refusal(404, `Environment ${door.name} does not exist any more.`);
};
