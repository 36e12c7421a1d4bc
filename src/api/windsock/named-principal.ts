import { validationException } from '../../contract/errors.ts';
import { roleArn, userArn } from '../../identity/arn.ts';
import { principalOfArn } from '../../identity/policies-of.ts';
import type { Principal } from '../../identity/principal.ts';
import type { ApiDeps } from '../deps.ts';

/** `user/ann` or `role/ci`, in any spelling of the name, as an ARN; anything else stays as it is. */
const arnOf = (text: string, { accountId, directory }: ApiDeps): string => {
  const [, kind, name = ''] = /^(user|role)\/([^/]+)$/.exec(text) ?? [];
  const user = kind === 'user' ? directory.current.get('user', name) : undefined;
  const role = kind === 'role' ? directory.current.get('role', name) : undefined;
  if (user) return userArn(accountId, user);
  return role ? roleArn(accountId, role) : text;
};

/** The user or role that an ARN or a short name means; throws ValidationException. */
export const namedPrincipal = (text: string, deps: ApiDeps): Principal => {
  const found = principalOfArn(deps.directory.current, arnOf(text, deps), deps.accountId);
  if (found) return found;
  throw validationException(
    `There is no user or role ${text}. Write its ARN, or user/NAME or role/NAME. The root user may do everything.`,
  );
};
