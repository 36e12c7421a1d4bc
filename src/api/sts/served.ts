import type { Operation } from '../operation.ts';
import { assumeRole } from './assume-role.ts';
import { getAccessKeyInfo } from './get-access-key-info.ts';
import { getCallerIdentity } from './get-caller-identity.ts';
import { getSessionToken } from './get-session-token.ts';

/** Every operation of STS that is served, by its name. */
export const stsServed: ReadonlyMap<string, Operation> = new Map(
  [assumeRole, getAccessKeyInfo, getCallerIdentity, getSessionToken].map((operation) => [
    operation.name,
    operation,
  ]),
);
