import type { AuditEntry } from '../audit/record.ts';
import type { Checked } from '../contract/constraints.ts';
import {
  AwsError,
  accessDeniedException,
  internalServerException,
  serviceUnavailableException,
  throttlingException,
  tooManyRequestsException,
} from '../contract/errors.ts';
import { GenerationChanged } from '../environments/errors.ts';
import {
  countedPrincipal,
  type MintContext,
  type Principal,
  type SessionFacts,
} from '../identity/principal.ts';
import { headersOf } from '../identity/sigv4/canonical.ts';
import { textOf } from '../lib/errors.ts';
import { slices } from '../lib/turns.ts';
import { deniedText } from '../policy/denied-text.ts';
import type { Decision } from '../policy/evaluate.ts';
import type { ApiRequest } from './api-request.ts';
import type { ApiDeps } from './deps.ts';
import { explanationOf } from './explanation.ts';
import type { Call, Check } from './operation.ts';
import type { ApiResponse } from './restjson.ts';
import { errorWriter, route } from './route.ts';
import type { ErrorWriter, Route } from './route-types.ts';
import { checkSessionLimits } from './session-limits.ts';

/** What was asked of the policies, and what they said. */
interface TracedDecision {
  readonly action: string;
  readonly resource: string;
  readonly decision: Decision;
}

/** What became known of a call on its way down; the audit entry of a failure holds as much as there is. */
interface Trace {
  readonly requestId: string;
  readonly sourceIp: string;
  readonly userAgent: string;
  route?: Route;
  principal?: Principal;
  session?: SessionFacts;
  input?: Checked;
  /** True once the intent of a call that goes on to Airflow is kept. */
  intended?: boolean;
  decision?: TracedDecision;
  errorCode?: string;
}

const refuse = (mint: MintContext, check: Check, decision: Decision | undefined): AwsError => {
  const { action, resources, deniedText: own } = check;
  const asked = { principalArn: mint.principal.arn, action, resource: resources[0] ?? '*' };
  return accessDeniedException(own ?? (decision ? deniedText({ ...asked, decision }) : 'Access denied'));
};

/** Every right that the call needs; throws AccessDeniedException for the first that is missing. */
const authorize = async (operation: Route['operation'], mint: MintContext, trace: Trace, deps: ApiDeps) => {
  const { accountId, region, authorizer } = deps;
  const { principal } = mint;
  const checks = await operation.checks({ accountId, region, principal, input: trace.input ?? {} }, deps);
  const pause = slices();
  for (const check of checks) {
    const { action, context, policy } = check;
    const decisions: Decision[] = [];
    for (const resource of check.resources) {
      await pause();
      decisions.push(authorizer.decide(mint, { action, resource, context, policy }));
    }
    const allowing = decisions.find((decision) => decision.allowed);
    const decision = allowing ?? decisions[0];
    if (decision && (trace.decision === undefined || !allowing)) {
      const asked = check.resources[decisions.indexOf(decision)] ?? '*';
      trace.decision = { action, resource: asked, decision };
    }
    if (!allowing) throw refuse(mint, check, decision);
  }
};

const statementText = (m: Decision['matched'][number]): string =>
  `${m.policy} statement ${m.index + 1}${m.sid === undefined ? '' : ` (${m.sid})`}`;

const authorizationOf = ({ decision: traced }: Trace): Pick<AuditEntry, 'authorization'> => {
  if (!traced) return {};
  const { action, resource, decision } = traced;
  const { allowed, reason, layer, matched } = decision;
  const deciding = matched.filter(({ effect }) => effect === (allowed ? 'Allow' : 'Deny'));
  return {
    authorization: {
      ...{ action, resource, allowed, reason },
      ...(layer === undefined ? {} : { layer }),
      statements: deciding.map(statementText),
      ...(allowed ? {} : { explanation: explanationOf(traced, decision) }),
    },
  };
};

/** The service that CloudTrail names; MWAA's and our own are told by the operation. */
const eventSourceOf = ({ route: found }: Trace) =>
  found === undefined || found.service === 'airflow' || found.service === 'windsock'
    ? {}
    : { eventSource: `${found.service}.amazonaws.com` };

const auditEntry = (trace: Trace, route: Route, error?: AwsError): AuditEntry => ({
  eventName: route.operation.name,
  readOnly: route.readOnly,
  ...(route.isDataEvent ? { isDataEvent: true as const } : {}),
  ...eventSourceOf(trace),
  ...authorizationOf(trace),
  principal: trace.principal,
  session: trace.session,
  sourceIp: trace.sourceIp,
  userAgent: trace.userAgent,
  requestId: trace.requestId,
  ...(trace.intended ? { phase: 'outcome' as const } : {}),
  ...(trace.input === undefined ? {} : { requestParameters: route.recorded(trace.input) }),
  ...(error === undefined ? {} : { errorCode: error.code, errorMessage: error.publicText }),
});

const callOf = (trace: Trace, route: Route, mint: MintContext): Call => ({
  input: trace.input ?? {},
  principal: mint.principal,
  mint,
  auditEntry: (details) => {
    const entry = { ...auditEntry(trace, route), ...details };
    if (details.phase === 'intent') trace.intended = true;
    return entry;
  },
});

/** Top to bottom: route, authenticate, validate, authorize, execute, serialize. */
const answer = async (request: ApiRequest, trace: Trace, deps: ApiDeps): Promise<ApiResponse> => {
  const found = route(request, deps);
  trace.route = found;
  const { operation } = found;
  const caller = await found.authenticate(deps);
  const { principal, session } = caller;
  trace.principal = principal;
  if (!deps.calls.take(countedPrincipal(principal))) throw throttlingException();
  trace.session = session;
  checkSessionLimits(found, caller);
  trace.input = await found.input();
  const { sourceIp, userAgent, requestId } = trace;
  const mint: MintContext = { ...session, principal, sourceIp, userAgent, requestId };
  if (operation.givesOut && !deps.givenOut.take(countedPrincipal(principal)))
    throw tooManyRequestsException();
  await authorize(operation, mint, trace, deps);
  const response = await found.answer(callOf(trace, found, mint), deps);
  if (!operation.auditsSuccess) await deps.audit.write(auditEntry(trace, found));
  return response;
};

/** A record of each would be what the limit is there against; the log has a line. */
const isThrottled = ({ code }: AwsError): boolean => code === 'ThrottlingException';

const auditFailure = async (trace: Trace, error: AwsError, deps: ApiDeps): Promise<void> => {
  if (!trace.route || isThrottled(error)) return;
  if (!trace.principal && !deps.strangers.admit(trace.sourceIp)) return;
  try {
    await deps.audit.write(auditEntry(trace, trace.route, error));
  } catch (fault) {
    deps.log.error('refused call not recorded', {
      requestId: trace.requestId,
      reason: textOf(fault),
    });
  }
};

/** What a caller is told of whatever was thrown. */
const awsErrorOf = (thrown: unknown): AwsError => {
  if (thrown instanceof AwsError) return thrown;
  if (thrown instanceof GenerationChanged)
    return serviceUnavailableException(`${thrown.publicText}. Try again.`);
  return internalServerException(thrown);
};

const fail = async (
  thrown: unknown,
  trace: Trace,
  write: ErrorWriter,
  deps: ApiDeps,
): Promise<ApiResponse> => {
  const error = awsErrorOf(thrown);
  if (error !== thrown && !(thrown instanceof GenerationChanged)) {
    const stack = thrown instanceof Error ? thrown.stack : undefined;
    deps.log.error('api call failed inside', { requestId: trace.requestId, reason: textOf(thrown), stack });
  }
  await auditFailure(trace, error, deps);
  trace.errorCode = error.code;
  return write(error, trace.requestId);
};

/** Answers one call of the AWS API; never rejects. One audit entry and one log line a call. */
export const handleCall = async (request: ApiRequest, deps: ApiDeps): Promise<ApiResponse> => {
  const started = deps.clock.monotonic();
  const userAgent = (headersOf(request.rawHeaders).get('user-agent')?.[0] ?? '').slice(0, 1024);
  const trace: Trace = { requestId: request.requestId, sourceIp: request.sourceIp, userAgent };
  const write = errorWriter(request, deps);
  const response = await answer(request, trace, deps).catch((error: unknown) =>
    fail(error, trace, write, deps),
  );
  const error = response.headers['x-amzn-errortype'] ?? trace.errorCode;
  deps.log.info('api call', {
    requestId: trace.requestId,
    status: response.status,
    took: deps.clock.monotonic() - started,
    ...(trace.route === undefined ? {} : { operation: trace.route.operation.name }),
    ...(trace.principal === undefined ? {} : { principal: trace.principal.arn }),
    ...(error === undefined ? {} : { error }),
  });
  return response;
};
