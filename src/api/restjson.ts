import type { Readable } from 'node:stream';
import type { AwsError } from '../contract/errors.ts';
import { serializationException, validationException } from '../contract/errors.ts';
import type { Shape, StructureShape } from '../contract/shape.ts';
import type { CallBinding } from '../contract/windsock-operations.ts';
import type { QueryParameter } from '../identity/sigv4/canonical.ts';
import { parseExact } from '../lib/exact-json.ts';
import { jsonParts, objectText, RawJson, scanJson } from '../lib/json-scan.ts';

/** An answer, ready to be written. */
export interface ApiResponse {
  readonly status: number;
  /** With a content-length where `stream` is given, or where a HEAD answer tells one. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Sent instead of the body, and closed with the connection. */
  readonly stream?: Readable;
}

/** Where a request's members are found, all still undecoded. */
export interface RequestParts {
  /** Percent-encoded path segments by member name. */
  readonly path: Readonly<Record<string, string>>;
  readonly query: readonly QueryParameter[];
  readonly body: Uint8Array;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

const decodeUtf8 = (bytes: Uint8Array): string => {
  try {
    return utf8.decode(bytes);
  } catch {
    throw serializationException('The request is not valid UTF-8.');
  }
};

const decodeSegment = (member: string, segment: string): string => {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw validationException(`The path segment of ${member} is not percent-encoded UTF-8.`);
  }
};

const notJson = () => serializationException('The request body is not JSON. Send a JSON object.');

/** What goes on to Airflow. */
const holdsDocument = ({ members }: StructureShape): boolean =>
  Object.values(members).some(({ kind }) => kind === 'document');

/** Names and values of a body, or of a member of it, that are read at once; the largest request of AWS has hundreds. */
const mostParts = 10_000;

/** Of a document that is looked into: no web server takes a query as long as this. */
const longestDocument = 65_536;

const checkParts = (text: string, what: string): void => {
  if (jsonParts(text) > mostParts)
    throw serializationException(`${what} has more than ${mostParts} names and values. Send fewer.`);
};

/** A document that is kept secret is handed on as it came; what is looked into keeps the digits of its numbers. */
const memberOf = (name: string, text: string, shape: Shape | undefined): unknown => {
  if (text === 'null') return null;
  if (shape?.kind === 'document' && shape.sensitive) return new RawJson(text);
  if (text.length > longestDocument)
    throw serializationException(`${name} is longer than ${longestDocument} characters. Send less.`);
  checkParts(text, name);
  return parseExact(text);
};

/** The members of a large request, without holding the event loop. Throws SerializationException. */
const readDocuments = async (body: Uint8Array, shape: StructureShape): Promise<Record<string, unknown>> => {
  const text = decodeUtf8(body);
  const members = await scanJson(text, new Set(Object.keys(shape.members)));
  if (!members) throw notJson();
  if (!/^\s*\{/.test(text)) throw notObject();
  return Object.fromEntries(
    [...members].map(([name, member]) => [name, memberOf(name, member, shape.members[name])]),
  );
};

const notObject = () =>
  serializationException('The request body is JSON but not an object. Send a JSON object.');

/** The members of a JSON object; none for an empty body. Throws SerializationException. */
export const readJson = (body: Uint8Array): Record<string, unknown> => {
  if (body.length === 0) return {};
  const text = decodeUtf8(body);
  checkParts(text, 'The request body');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw notJson();
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw notObject();
  }
  return { ...value };
};

/** A number in a query string is text; anything that is not a whole number keeps being text, for the validator. */
const queryValue = (text: string, shape: Shape | undefined): unknown =>
  shape?.kind === 'integer' && /^-?\d{1,9}$/.test(text) ? Number(text) : text;

const queryMembers = (parts: RequestParts, binding: CallBinding, shape: StructureShape) => {
  const members: Record<string, unknown> = {};
  for (const { name, value } of parts.query) {
    const member = binding.query && Object.hasOwn(binding.query, name) ? binding.query[name] : undefined;
    if (member === undefined) continue;
    const known = shape.members[member];
    const text = decodeUtf8(Buffer.from(value, 'latin1'));
    if (known?.kind === 'list')
      members[member] = [...((members[member] as string[] | undefined) ?? []), text];
    else members[member] = queryValue(text, known);
  }
  return members;
};

const readBody = async (body: Uint8Array, shape: StructureShape): Promise<Record<string, unknown>> =>
  body.length > 0 && holdsDocument(shape) ? readDocuments(body, shape) : readJson(body);

/**
 * Gathers the members of a rest-json request from path, query and body; path and query win over the body.
 * A body of an operation that has none is ignored: clients send `{}` with GET.
 */
export const readInput = async (parts: RequestParts, binding: CallBinding, shape: StructureShape) => ({
  ...(binding.body ? await readBody(parts.body, shape) : {}),
  ...queryMembers(parts, binding, shape),
  ...Object.fromEntries(
    Object.entries(parts.path).map(([member, segment]) => [member, decodeSegment(member, segment)]),
  ),
});

const baseHeaders = (requestId: string) => ({
  'content-type': 'application/json',
  'x-amzn-requestid': requestId,
  'cache-control': 'no-store',
});

export const renderOutput = (output: Readonly<Record<string, unknown>>, requestId: string): ApiResponse => ({
  status: 200,
  headers: baseHeaders(requestId),
  body: objectText(output),
});

/** Code in header and body: some clients read the one, some the other. */
export const renderError = (error: AwsError, requestId: string): ApiResponse => ({
  status: error.httpStatus,
  headers: { ...baseHeaders(requestId), 'x-amzn-errortype': error.code },
  body: objectText({ __type: error.code, ...error.members }),
});

const asJson11 = (response: ApiResponse): ApiResponse => ({
  ...response,
  headers: { ...response.headers, 'content-type': 'application/x-amz-json-1.1' },
});

/** As the AWS JSON 1.1 protocol writes it. */
export const renderJsonOutput: typeof renderOutput = (output, requestId) =>
  asJson11(renderOutput(output, requestId));

/** As the AWS JSON 1.1 protocol writes it. */
export const renderJsonError: typeof renderError = (error, requestId) =>
  asJson11(renderError(error, requestId));
