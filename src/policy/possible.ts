import { mostSteps, type Policies } from './evaluate.ts';
import type { Statement } from './policy.ts';
import { Steps, TooComplex } from './steps.ts';

const names = ({ actions, notActions }: Statement, action: string, steps: Steps): boolean =>
  actions.some((pattern) => pattern.matches(action, steps)) !== notActions;

/**
 * Whether these policies could allow one of the actions on anything, whatever the conditions; for a cheap refusal before
 * it is known what is asked for. Never false for what `evaluate` allows to anybody but the root user.
 */
export const isPossible = ({ identity, resource }: Policies, actions: readonly string[]): boolean => {
  const steps = new Steps(mostSteps);
  const allowing = [...identity, ...(resource ? [resource] : [])].flatMap(({ policy }) =>
    policy.statements.filter(({ effect }) => effect === 'Allow'),
  );
  try {
    return actions.some((action) => allowing.some((one) => names(one, action.toLowerCase(), steps)));
  } catch (error) {
    if (error instanceof TooComplex) return true;
    throw error;
  }
};
