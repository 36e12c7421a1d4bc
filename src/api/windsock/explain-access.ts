import { validationException } from '../../contract/errors.ts';
import { explainAccessInput } from '../../contract/shapes/access.ts';
import type { MintContext } from '../../identity/principal.ts';
import type { Decision } from '../../policy/evaluate.ts';
import { remedyOf } from '../../policy/explain.ts';
import type { ApiDeps } from '../deps.ts';
import { type Call, type Operation, type Output, optionalString } from '../operation.ts';
import { namedPrincipal } from './named-principal.ts';

/** A question about somebody who does not call: from this machine, with nothing else known. */
export const mintOf = (call: Call, principal: MintContext['principal']): MintContext => ({
  principal,
  sourceIp: call.mint.sourceIp,
  userAgent: '',
  requestId: call.mint.requestId,
});

/** A decision in the members of our answers. */
const shownDecision = (
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

const remedyMember = (remedy: ReturnType<typeof remedyOf>): Output => {
  if (remedy === undefined) return {};
  if (remedy.kind === 'add') return { Remedy: { AddTo: remedy.layer, Statement: remedy.statement } };
  const statements = remedy.statements.map(({ policy, index }) => `${policy} statement ${index + 1}`);
  return { Remedy: { TakeAway: statements } };
};

/** What the record says of a request that was made; its event names the statements that decided. */
const ofRequest = async (requestId: string, { auditReader }: ApiDeps): Promise<Output> => {
  const events = await auditReader.findByRequest(requestId);
  if (events.length === 0)
    throw validationException(
      `There is no record of a request ${requestId}. Take the id from the error that the caller got.`,
    );
  return { Events: events };
};

/** May this principal do that, by which statement, and if not, what would allow it. Or: what was decided on a request. */
export const explainAccess: Operation = {
  name: 'ExplainAccess',
  input: explainAccessInput,
  action: 'windsock:ExplainAccess',
  checks: () => [{ action: 'windsock:ExplainAccess', resources: ['*'] }],
  auditsSuccess: false,
  execute: async (call, deps) => {
    const { input } = call;
    const requestId = optionalString(input, 'RequestId');
    if (requestId !== undefined) return ofRequest(requestId, deps);
    const [name, action] = [optionalString(input, 'Principal'), optionalString(input, 'Action')];
    if (name === undefined || action === undefined)
      throw validationException('Give Principal and Action (and Resource), or RequestId.');
    const resource = optionalString(input, 'Resource') ?? '*';
    const principal = namedPrincipal(name, deps);
    const context = (input['Context'] ?? {}) as Readonly<Record<string, string>>;
    const decision = deps.authorizer.decide(mintOf(call, principal), { action, resource, context });
    return { Principal: principal.arn, ...shownDecision({ action, resource }, decision) };
  },
};
