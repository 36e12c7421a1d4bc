import type { Decision } from '../policy/evaluate.ts';
import { remedyOf } from '../policy/explain.ts';
import type { Output } from './operation.ts';

const remedyMember = (remedy: ReturnType<typeof remedyOf>): Output => {
  if (remedy === undefined) return {};
  if (remedy.kind === 'add') return { Remedy: { AddTo: remedy.layer, Statement: remedy.statement } };
  const statements = remedy.statements.map(({ policy, index }) => `${policy} statement ${index + 1}`);
  return { Remedy: { TakeAway: statements } };
};

/** A decision for those who may ask why: by which statement, which layer stopped it, what would allow it. */
export const explanationOf = (
  asked: { readonly action: string; readonly resource: string },
  decision: Decision,
): Output => ({
  Action: asked.action,
  Resource: asked.resource,
  Allowed: decision.allowed,
  Reason: decision.reason,
  ...(decision.layer === undefined ? {} : { Layer: decision.layer }),
  Statements: decision.matched.map((m) => ({
    Policy: m.policy,
    Layer: m.layer,
    Effect: m.effect,
    Number: m.index + 1,
    ...(m.sid === undefined ? {} : { Sid: m.sid }),
    Line: m.start.line,
  })),
  MissingContextKeys: decision.missingContextKeys,
  ...remedyMember(remedyOf(asked, decision)),
});
