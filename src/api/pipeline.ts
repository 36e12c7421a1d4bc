import type { AuditEntry } from '../audit/record.ts';
import { type Checked, redact, validate } from '../contract/constraints.ts';
import { AwsError, accessDeniedException, internalServerException } from '../contract/errors.ts';
import type { MintContext, Principal } from '../identity/principal.ts';
import {
  headersOf,
  queryParameters,
  type ReceivedRequest,
  splitTarget,
} from '../identity/sigv4/canonical.ts';
import { textOf } from '../lib/errors.ts';
import { evaluate } from '../policy/evaluate.ts';
import type { ApiDeps } from './deps.ts';
import { servedOperations } from './mwaa/served.ts';
import type { Call, Operation } from './operation.ts';
import { type ApiResponse, readInput, renderError, renderOutput } from './restjson.ts';
import { type Route, route } from './route.ts';
import { windsockServed } from './windsock/served.ts';

/** A request as received, with the address it came from and the id it got. */
export interface ApiRequest extends ReceivedRequest {
  readonly sourceIp: string;
  /** A UUID, new for each request. */
  readonly requestId: string;
}

/** What became known of a call on its way down; the audit entry of a failure holds as much as there is. */
interface Trace {
  readonly requestId: string;
  readonly sourceIp: string;
  readonly userAgent: string;
  route?: Route;
  operation?: Operation;
  principal?: Principal;
  input?: Checked;
}

const handlers = { ...servedOperations, ...windsockServed };

const authorize = (
  operation: Operation,
  principal: Principal,
  input: Checked,
  sourceIp: string,
  deps: ApiDeps,
) => {
  const resources = operation.resources(input, deps);
  const context = { 'aws:SourceIp': sourceIp };
  const { action } = operation;
  if (resources.some((resource) => evaluate({ principal, action, resource, context }).allowed)) return;
  throw accessDeniedException(
    operation.deniedText ??
      `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${resources[0]} because no identity-based policy allows the ${action} action`,
  );
};

const auditEntry = (trace: Trace, operation: Operation, error?: AwsError): AuditEntry => ({
  eventName: operation.name,
  readOnly: trace.route?.binding.readOnly ?? false,
  principal: trace.principal,
  sourceIp: trace.sourceIp,
  userAgent: trace.userAgent,
  requestId: trace.requestId,
  ...(trace.input === undefined ? {} : { requestParameters: redact(operation.input, trace.input) }),
  ...(error === undefined ? {} : { errorCode: error.code, errorMessage: error.publicText }),
});

const callOf = (trace: Trace, operation: Operation, principal: Principal, input: Checked): Call => {
  const { sourceIp, userAgent, requestId } = trace;
  const mint: MintContext = { principal, sourceIp, userAgent, requestId };
  return {
    input,
    principal,
    mint,
    auditEntry: (details) => ({ ...auditEntry(trace, operation), ...details }),
  };
};

/** Top to bottom: route, authenticate, validate, authorize, execute, serialize. */
const answer = async (request: ApiRequest, trace: Trace, deps: ApiDeps): Promise<ApiResponse> => {
  const { path, query } = splitTarget(request.target);
  const found = route(request.method, path);
  trace.route = found;
  const operation = handlers[found.operation];
  trace.operation = operation;
  const principal = await deps.verify(request, found.service);
  trace.principal = principal;
  const parts = { path: found.path, query: queryParameters(query), body: request.body };
  const input = validate(operation.input, readInput(parts, found.binding, operation.input));
  trace.input = input;
  authorize(operation, principal, input, request.sourceIp, deps);
  const output = await operation.execute(callOf(trace, operation, principal, input), deps);
  if (!operation.auditsSuccess) await deps.audit.write(auditEntry(trace, operation));
  return renderOutput(output, trace.requestId);
};

const auditFailure = async (trace: Trace, error: AwsError, deps: ApiDeps): Promise<void> => {
  if (!trace.operation) return;
  try {
    await deps.audit.write(auditEntry(trace, trace.operation, error));
  } catch (fault) {
    deps.log.error('refused call not recorded', {
      requestId: trace.requestId,
      reason: textOf(fault),
    });
  }
};

const fail = async (thrown: unknown, trace: Trace, deps: ApiDeps): Promise<ApiResponse> => {
  const error = thrown instanceof AwsError ? thrown : internalServerException(thrown);
  if (!(thrown instanceof AwsError)) {
    const stack = thrown instanceof Error ? thrown.stack : undefined;
    deps.log.error('api call failed inside', { requestId: trace.requestId, reason: textOf(thrown), stack });
  }
  await auditFailure(trace, error, deps);
  return renderError(error, trace.requestId);
};

/** Answers one call of the AWS API; never rejects. One audit entry and one log line a call. */
export const handleCall = async (request: ApiRequest, deps: ApiDeps): Promise<ApiResponse> => {
  const started = deps.clock.monotonic();
  const userAgent = (headersOf(request.rawHeaders).get('user-agent')?.[0] ?? '').slice(0, 1024);
  const trace: Trace = { requestId: request.requestId, sourceIp: request.sourceIp, userAgent };
  const response = await answer(request, trace, deps).catch((error: unknown) => fail(error, trace, deps));
  deps.log.info('api call', {
    requestId: trace.requestId,
    status: response.status,
    took: deps.clock.monotonic() - started,
    ...(trace.route === undefined ? {} : { operation: trace.route.operation }),
    ...(trace.principal === undefined ? {} : { principal: trace.principal.arn }),
    ...(response.headers['x-amzn-errortype'] === undefined
      ? {}
      : { error: response.headers['x-amzn-errortype'] }),
  });
  return response;
};
