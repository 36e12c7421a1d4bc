import { AwsError } from '../../contract/errors.ts';

const stsError =
  (code: string) =>
  (message: string): AwsError =>
    new AwsError(code, 400, message);

export const stsValidation = stsError('ValidationError');
export const stsMalformedPolicy = stsError('MalformedPolicyDocument');
export const packedPolicyTooLarge = stsError('PackedPolicyTooLarge');
