import type { Condition } from './condition.ts';
import type { Policy, Statement } from './policy.ts';
import { unlimited } from './steps.ts';
import { plainText } from './variables.ts';

const webIdentity = 'sts:assumerolewithwebidentity';

/** Whether a condition asks for the audience or the subject of a token, by something that not every token has. */
const narrows = ({ key, test }: Condition): boolean =>
  /:(?:aud|sub)$/.test(key) &&
  test.kind === 'compare' &&
  !test.operator.negated &&
  !test.ifExists &&
  test.quantifier !== 'for-all-values' &&
  test.values.every((value) => value.kind === 'open' || /[^*]/.test(plainText(value.pattern)));

const letsEverybodyIn = ({ effect, principal, actions, notActions, conditions }: Statement): boolean =>
  effect === 'Allow' &&
  (principal?.everyone === true || (principal?.federated.length ?? 0) > 0) &&
  actions.some((action) => action.matches(webIdentity, unlimited)) !== notActions &&
  !conditions.some(narrows);

/**
 * The statements of a trust policy by which anybody may assume the role who has an account at the identity provider,
 * whatever application his token is for: they ask neither for the token's `aud` nor for its `sub` (IAM User Guide,
 * "Create a role for OpenID Connect federation").
 */
export const openToIdentityProviders = (trust: Policy): readonly Statement[] =>
  trust.statements.filter(letsEverybodyIn);
