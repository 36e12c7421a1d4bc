import type { Checked } from '../../contract/constraints.ts';
import { accessDeniedException } from '../../contract/errors.ts';

/** There are no MFA devices here, so whichever one is named is not the caller's. Throws AccessDeniedException. */
export const refuseMfa = (input: Checked): void => {
  if (input['SerialNumber'] === undefined && input['TokenCode'] === undefined) return;
  throw accessDeniedException(
    'MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.',
  );
};
