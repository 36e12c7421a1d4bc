import type { Operation } from '../operation.ts';
import { accessKeyOperations } from './access-keys.ts';
import { accountOperations } from './account.ts';
import { groupOperations } from './groups.ts';
import { holderPolicyOperations } from './holder-policies.ts';
import { managedPolicyOperations } from './managed-policies.ts';
import { roleOperations } from './roles.ts';
import { simulationOperations } from './simulate.ts';
import { userOperations } from './users.ts';

/** Every operation of IAM that is served, by its name. */
export const iamServed: ReadonlyMap<string, Operation> = new Map(
  [
    ...userOperations,
    ...groupOperations,
    ...roleOperations,
    ...accessKeyOperations,
    ...holderPolicyOperations,
    ...managedPolicyOperations,
    ...accountOperations,
    ...simulationOperations,
  ].map((operation) => [operation.name, operation]),
);
