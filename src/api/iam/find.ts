import type { Directory, EntityOf } from '../../identity/directory.ts';
import { managedPolicies } from '../../policy/managed.ts';
import { noSuchEntity } from './errors.ts';

export type HolderKind = 'user' | 'group' | 'role';

/** Throws NoSuchEntity. */
export const find = <K extends HolderKind>(directory: Directory, kind: K, name: string): EntityOf<K> => {
  const found = directory.get(kind, name);
  if (!found) throw noSuchEntity(`The ${kind} with name ${name} cannot be found.`);
  return found;
};

/** A managed policy of the account; throws NoSuchEntity, also for one that is ready-made. */
export const findPolicy = (directory: Directory, arn: string): EntityOf<'policy'> => {
  const found = directory.get('policy', arn);
  if (!found) throw noSuchEntity(`Policy ${arn} was not found.`);
  return found;
};

/** Throws NoSuchEntity for an ARN that is neither a managed policy of the account nor ready-made. */
export const checkAttachable = (directory: Directory, arn: string): void => {
  if (!directory.get('policy', arn) && !managedPolicies.has(arn))
    throw noSuchEntity(`Policy ${arn} does not exist or is not attachable.`);
};

/** The same for what is to be a permissions boundary, which AWS calls the scope. */
export const checkBoundary = (directory: Directory, arn: string): void => {
  if (!directory.get('policy', arn) && !managedPolicies.has(arn))
    throw noSuchEntity(`Scope ARN: ${arn} does not exist or is not attachable.`);
};

/** The last piece of a managed policy's ARN. */
export const policyName = (arn: string): string => arn.slice(arn.lastIndexOf('/') + 1);
