import { type AwsError, validationException } from '../../contract/errors.ts';

/** What the model allows and the service does not, worded as MWAA words it. */
export const invalid = (text: string): AwsError => validationException(`Invalid request provided: ${text}`);
