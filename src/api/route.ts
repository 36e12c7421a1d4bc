import { iamService, type QueryService, stsService } from '../contract/aws-model.ts';
import { cloudTrailTarget } from '../contract/cloudtrail.ts';
import { redact, validate } from '../contract/constraints.ts';
import {
  malformedRequestException,
  missingAuthenticationTokenException,
  unknownOperationException,
} from '../contract/errors.ts';
import { type OperationName, operations } from '../contract/operations.ts';
import {
  type CallBinding,
  type WindsockOperationName,
  windsockOperations,
} from '../contract/windsock-operations.ts';
import {
  headersOf,
  queryParameters,
  type ReceivedRequest,
  splitTarget,
} from '../identity/sigv4/canonical.ts';
import type { ApiRequest } from './api-request.ts';
import { lookupEvents } from './cloudtrail/lookup-events.ts';
import type { ApiDeps } from './deps.ts';
import { iamServed } from './iam/served.ts';
import { servedOperations } from './mwaa/served.ts';
import type { Operation, Output } from './operation.ts';
import { matchPath } from './paths.ts';
import { type QueryForm, readForm } from './query-input.ts';
import { renderQueryError, renderQueryOutput } from './query-output.ts';
import {
  type ApiResponse,
  readInput,
  readJson,
  renderError,
  renderJsonError,
  renderJsonOutput,
  renderOutput,
} from './restjson.ts';
import type { ErrorWriter, Route, Service } from './route-types.ts';
import { isForS3 } from './s3/for-s3.ts';
import { s3Route } from './s3/route.ts';
import { s3ErrorWriter } from './s3/xml.ts';
import { signedFor } from './signing-name.ts';
import { stsServed } from './sts/served.ts';
import { windsockServed } from './windsock/served.ts';

/** A call of which a model says what it takes. */
interface Modelled {
  readonly operation: Operation;
  readonly service: Exclude<Service, 's3'>;
  readonly readOnly: boolean;
  /** The members that were given, unchecked. Throws SerializationException. */
  readonly members: () => Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>;
  readonly render: (output: Output, requestId: string) => ApiResponse;
}

const modelledRoute = (request: ReceivedRequest, m: Modelled): Route => ({
  ...{ operation: m.operation, service: m.service, readOnly: m.readOnly },
  authenticate: (deps) => deps.verify(request, m.service),
  input: async () => validate(m.operation.input, await m.members()),
  recorded: (input) => redact(m.operation.input, input),
  answer: async (call, deps) => m.render(await m.operation.execute(call, deps), call.mint.requestId),
});

interface RestBinding {
  readonly operation: Operation;
  readonly service: 'airflow' | 'windsock';
  readonly binding: CallBinding;
}

const restBindings: readonly RestBinding[] = [
  ...Object.entries(operations).map(([name, binding]) => ({
    operation: servedOperations[name as OperationName],
    service: 'airflow' as const,
    binding,
  })),
  ...Object.entries(windsockOperations).map(([name, binding]) => ({
    operation: windsockServed[name as WindsockOperationName],
    service: 'windsock' as const,
    binding,
  })),
];

const queryServices: Readonly<
  Record<string, { readonly service: QueryService; readonly served: ReadonlyMap<string, Operation> }>
> = {
  iam: { service: iamService, served: iamServed },
  sts: { service: stsService, served: stsServed },
};

const restRoute = (request: ReceivedRequest): Modelled => {
  const { path, query } = splitTarget(request.target);
  for (const { operation, service, binding } of restBindings) {
    const members = binding.method === request.method ? matchPath(binding.uri, path) : undefined;
    if (!members) continue;
    const parts = { path: members, query: queryParameters(query), body: request.body };
    return {
      operation,
      service,
      readOnly: binding.readOnly,
      members: () => readInput(parts, binding, operation.input),
      render: renderOutput,
    };
  }
  throw unknownOperationException(
    `No operation answers ${request.method} ${path.slice(0, 200)}. This endpoint speaks the Amazon MWAA API of 2020-07-01.`,
  );
};

const isQuery = ({ method, target }: ReceivedRequest): boolean =>
  method === 'POST' && splitTarget(target).path === '/';

const unknownAction = ({ action, version }: QueryForm) =>
  unknownOperationException(
    `Could not find operation ${action.slice(0, 100) || '(none)'} for version ${version.slice(0, 20) || 'NO_VERSION_SPECIFIED'}`,
  );

/** CloudTrail names its operations in a header (AWS JSON 1.1 protocol, Smithy documentation). */
const jsonRoute = (request: ReceivedRequest): Modelled => {
  const target = headersOf(request.rawHeaders).get('x-amz-target')?.[0] ?? '';
  const operation = target === `${cloudTrailTarget}.LookupEvents` ? lookupEvents : undefined;
  if (!operation)
    throw unknownOperationException(
      `The operation ${target.slice(0, 200) || '(none)'} is not served here: LookupEvents is.`,
    );
  return {
    operation,
    service: 'cloudtrail',
    readOnly: true,
    members: () => readJson(request.body),
    render: renderJsonOutput,
  };
};

const queryRoute = (request: ReceivedRequest): Modelled => {
  const name = signedFor(request);
  if (name === undefined) throw missingAuthenticationTokenException();
  if (name === 'cloudtrail') return jsonRoute(request);
  const found = Object.hasOwn(queryServices, name) ? queryServices[name] : undefined;
  if (!found)
    throw unknownOperationException(
      `The service ${name.slice(0, 50)} is not served here: airflow, cloudtrail, iam, sts and windsock are.`,
    );
  const { service, served } = found;
  const form = readForm(request.body);
  const operation = served.get(form.action);
  const model = service.operations.get(form.action);
  if (!operation || !model || form.version !== service.apiVersion) throw unknownAction(form);
  return {
    operation,
    service: name as 'iam' | 'sts',
    readOnly: model.readOnly,
    members: () => form.members(operation.input),
    render: (output, requestId) => renderQueryOutput(service, model, output, requestId),
  };
};

/** How the errors of this request are written. */
export const errorWriter = (request: ReceivedRequest, deps: Pick<ApiDeps, 'buckets'>): ErrorWriter => {
  if (isForS3(request, deps)) return s3ErrorWriter(request);
  if (!isQuery(request)) return renderError;
  const name = signedFor(request) ?? 'iam';
  if (name === 'cloudtrail') return renderJsonError;
  const { xmlNamespace } = (queryServices[name] ?? { service: iamService }).service;
  return (error, requestId) => renderQueryError(xmlNamespace, error, requestId);
};

/**
 * Finds the operation: of S3 by the signing name, of MWAA and of our own by method and raw path alone (the first segments
 * are disjoint, so the host prefixes `api.`, `env.` and `ops.` do not matter), of the query protocol by the service that
 * was signed for and the form's Action. Throws UnknownOperationException, or MalformedHttpRequestException for a target
 * that is not a plain path.
 */
export const route = (request: ApiRequest, deps: ApiDeps): Route => {
  if (isForS3(request, deps)) return s3Route(request, deps);
  const { path } = splitTarget(request.target);
  if (!path.startsWith('/') || path.includes('#') || path.includes('\\')) {
    throw malformedRequestException('The request target must be a path that starts with a slash.');
  }
  return modelledRoute(request, isQuery(request) ? queryRoute(request) : restRoute(request));
};
