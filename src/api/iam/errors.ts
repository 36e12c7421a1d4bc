import { AwsError } from '../../contract/errors.ts';

const iamError =
  (code: string, status: number) =>
  (message: string): AwsError =>
    new AwsError(code, status, message);

/** The errors that IAM's API reference names. */
export const noSuchEntity = iamError('NoSuchEntity', 404);
export const entityAlreadyExists = iamError('EntityAlreadyExists', 409);
export const deleteConflict = iamError('DeleteConflict', 409);
export const invalidInput = iamError('InvalidInput', 400);
export const malformedPolicyDocument = iamError('MalformedPolicyDocument', 400);
export const validationError = iamError('ValidationError', 400);

/** A simulated policy that cannot be evaluated. */
export const policyEvaluation = iamError('PolicyEvaluation', 500);

/** A limit that AWS tells in words of its own. */
export const limitReached = iamError('LimitExceeded', 409);

/** `quota` is the name that AWS's message has, for instance `AccessKeysPerUser`. */
export const limitExceeded = (quota: string, limit: number): AwsError =>
  limitReached(`Cannot exceed quota for ${quota}: ${limit}`);
