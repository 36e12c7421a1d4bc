import type { Checked } from '../../contract/constraints.ts';
import { accessDeniedException, throttlingException } from '../../contract/errors.ts';
import { invokeRestApiInput } from '../../contract/shapes/rest-api.ts';
import type { WebTarget } from '../../environments/ports.ts';
import type { EnvironmentRecord } from '../../environments/record.ts';
import { countedPrincipal } from '../../identity/principal.ts';
import { upstreamHeaders } from '../../upstream/headers.ts';
import type { Leave } from '../../upstream/in-flight.ts';
import { callRestApi, NoRestAnswer, type RestAnswer, type RestCall } from '../../upstream/rest-call.ts';
import type { ApiDeps } from '../deps.ts';
import { type Call, type Operation, stringMember } from '../operation.ts';
import { airflowSilent, airflowStarting, restApiOutput } from '../rest-api/answer.ts';
import { restApiBody } from '../rest-api/body.ts';
import { restApiPath, restApiRoot } from '../rest-api/path.ts';
import { restApiQuery } from '../rest-api/query.ts';
import { airflowIdentity } from './airflow-identity.ts';
import { findAccessible } from './find.ts';
import { noRole, onAirflowRoles } from './rights.ts';

const action = 'airflow:InvokeRestApi';

/** "Accessing the Apache Airflow REST API", Amazon MWAA user guide. The request has the same limit (`server.ts`). */
const limits = { milliseconds: 10_000, bytes: 6 * 1024 * 1024 };

/** Below what clients wait for an answer, with the call itself. */
const turnMilliseconds = 10_000;

/** Hundreds may wait: characters of a body that may be held in memory meanwhile. */
const mostWhileWaiting = 64 * 1024;

/** One's turn among the other requests of this principal. Throws ThrottlingException. */
const enter = async (
  call: Call,
  environmentId: string,
  body: string | undefined,
  { airflowLimits }: ApiDeps,
): Promise<Leave> => {
  const principal = countedPrincipal(call.principal);
  if (!airflowLimits.take(principal)) throw throttlingException();
  let timer: NodeJS.Timeout | undefined;
  const leave = await airflowLimits.enter({ principal, environmentId }, (giveUp) => {
    if ((body?.length ?? 0) > mostWhileWaiting) giveUp();
    else timer = setTimeout(giveUp, turnMilliseconds);
  });
  clearTimeout(timer);
  if (leave) return leave;
  throw throttlingException();
};

/** What is to be asked of Airflow, without who asks. Throws ValidationException. */
const requestOf = (input: Checked, root: string): Omit<RestCall, 'headers'> => {
  const method = stringMember(input, 'Method');
  const path = restApiPath(root, stringMember(input, 'Path'));
  const query = restApiQuery(input['QueryParameters']);
  return {
    method,
    path: query === '' ? path : `${path}?${query}`,
    body: restApiBody(method, input['Body']),
  };
};

const headersOf = (call: Call, hostname: string, assertion: string, withBody: boolean) =>
  upstreamHeaders(
    new Map([
      ['accept', 'application/json'],
      ...(withBody ? [['content-type', 'application/json'] as const] : []),
    ]),
    { hostname, assertion, clientIp: call.mint.sourceIp, cookie: undefined },
  );

/** Signed for this call alone, with the roles that the policies of now give for this action. */
const assertionOf = async (call: Call, environment: EnvironmentRecord, deps: ApiDeps): Promise<string> => {
  const who = { mint: call.mint, airflowIdentity: airflowIdentity(call.principal, deps) };
  const assertion = await deps.assertions.sign(who, environment, action);
  if (assertion === undefined) throw accessDeniedException(noRole);
  return assertion;
};

const ask = async (
  deps: ApiDeps,
  environment: EnvironmentRecord,
  target: WebTarget,
  request: RestCall,
  requestId: string,
): Promise<RestAnswer> => {
  try {
    return await callRestApi(deps.pools.of(environment.id, target), request, limits);
  } catch (error) {
    if (!(error instanceof NoRestAnswer)) throw error;
    deps.log.warn('Airflow did not answer', {
      environment: environment.name,
      environmentId: environment.id,
      requestId,
      reason: error.detail ?? error.publicText,
    });
    throw deps.driver.webTarget(environment.id) ? airflowSilent(error) : airflowStarting(environment.name);
  }
};

/**
 * One call of Airflow's REST API, as the Airflow user and with the roles of the caller. What changes something has an
 * audit entry before it goes on and one after. Neither has the body: that may hold passwords.
 */
export const invokeRestApi: Operation = {
  name: 'InvokeRestApi',
  input: invokeRestApiInput,
  action,
  checks: onAirflowRoles(action),
  auditsSuccess: true,
  execute: async (call, deps) => {
    const { environment, webserverHostname } = await findAccessible(call, deps);
    const root = restApiRoot(environment.spec.AirflowVersion);
    const request = requestOf(call.input, root);
    const leave = await enter(call, environment.id, request.body, deps);
    try {
      const assertion = await assertionOf(call, environment, deps);
      const target = deps.driver.webTarget(environment.id);
      if (!target) throw airflowStarting(environment.name);
      const environmentId = environment.id;
      if (request.method !== 'GET')
        await deps.audit.write(call.auditEntry({ environmentId, phase: 'intent' }));
      const headers = headersOf(call, webserverHostname, assertion, request.body !== undefined);
      const answer = await ask(deps, environment, target, { ...request, headers }, call.mint.requestId);
      const output = await restApiOutput(answer, root);
      const responseElements = { RestApiStatusCode: answer.status };
      await deps.audit.write(call.auditEntry({ environmentId, responseElements }));
      return output;
    } finally {
      leave();
    }
  },
};
