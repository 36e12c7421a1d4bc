import { environmentNameOf } from '../../contract/arn.ts';
import { validationException } from '../../contract/errors.ts';
import { explainAccessInput } from '../../contract/shapes/access.ts';
import type { ConditionContext } from '../../identity/condition-context.ts';
import type { MintContext } from '../../identity/principal.ts';
import type { ApiDeps } from '../deps.ts';
import { explanationOf } from '../explanation.ts';
import { environmentContext } from '../mwaa/rights.ts';
import { type Call, type Operation, type Output, optionalString } from '../operation.ts';
import { namedPrincipal } from './named-principal.ts';

/** A question about somebody who does not call: from this machine, with nothing else known. */
export const mintOf = (call: Call, principal: MintContext['principal']): MintContext => ({
  principal,
  sourceIp: call.mint.sourceIp,
  userAgent: '',
  requestId: call.mint.requestId,
});

interface RecordedEvent {
  readonly userIdentity?: { readonly arn?: string };
  readonly additionalEventData?: {
    readonly authorization?: { readonly allowed: boolean; readonly explanation?: Output };
  };
}

/** Why a call was refused, as it was explained then; nothing for one that was allowed. */
const decisionOf = (event: RecordedEvent): readonly Output[] => {
  const authorization = event.additionalEventData?.authorization;
  const Principal = event.userIdentity?.arn;
  return authorization?.explanation ? [{ Principal, ...authorization.explanation }] : [];
};

/** What a call about that resource would bring with it: the tags of the environment. */
const contextOf = async (resource: string, deps: ApiDeps): Promise<ConditionContext> => {
  const name = environmentNameOf(resource, deps);
  return name === undefined ? {} : environmentContext(name, deps);
};

/** These two are asked of roles and of nothing else: a yes for anything else would be no way in. Throws ValidationException. */
const checkResource = (action: string, resource: string, { region, accountId }: ApiDeps): void => {
  const isOfRoles = /^airflow:(createweblogintoken|invokerestapi)$/i.test(action);
  if (!isOfRoles || /^arn:aws:airflow:[^:]+:[^:]+:role\/[^/]+\/[^/]+$/.test(resource)) return;
  throw validationException(
    `${action} is asked of Airflow roles. Give as Resource, for instance, arn:aws:airflow:${region}:${accountId}:role/ENVIRONMENT/User, or call ExplainEnvironmentAccess.`,
  );
};

/** What the record says of a request that was made, and why it was refused if it was. */
const ofRequest = async (requestId: string, { auditReader }: ApiDeps): Promise<Output> => {
  const events = await auditReader.findByRequest(requestId);
  if (events.length === 0)
    throw validationException(
      `There is no record of a request ${requestId}. Take the id from the error that the caller got.`,
    );
  return { Decisions: events.flatMap((event) => decisionOf(event as RecordedEvent)), Events: events };
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
    checkResource(action, resource, deps);
    const principal = namedPrincipal(name, deps);
    const given = (input['Context'] ?? {}) as Readonly<Record<string, string>>;
    const context = { ...(await contextOf(resource, deps)), ...given };
    const decision = deps.authorizer.decide(mintOf(call, principal), { action, resource, context });
    return { Principal: principal.arn, ...explanationOf({ action, resource }, decision) };
  },
};
