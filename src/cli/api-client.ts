import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { SignatureV4 } from '@smithy/signature-v4';
import { Agent, request } from 'undici';
import { z } from 'zod';
import { codeOf, textOf } from '../lib/errors.ts';
import { ownVersion } from '../lib/own-version.ts';
import { Sha256 } from '../lib/sha256.ts';
import { CliError, exitCodes } from './errors.ts';
import { type FormCall, formMessage, type Message, xmlTexts } from './query-protocol.ts';
import type { Connection } from './server.ts';

/** An answer of the API that is an error, with AWS's code and text. */
export class ApiError extends CliError {
  readonly code: string;
  readonly status: number;

  constructor(code: string, status: number, message: string) {
    super(message === '' ? code : `${message} (${code})`);
    this.code = code;
    this.status = status;
  }
}

const deadline = 30_000;

interface ApiCall {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** Percent-encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** The signing name; that of MWAA is `airflow` (its service model). */
  readonly service?: 'windsock' | 'cloudtrail';
  /** The operation, where a service names it in a header (AWS JSON 1.1). */
  readonly target?: string;
}

export interface ApiClient {
  /** Signs and sends one call; throws ApiError for an error of the API, CliError when none answers. */
  call<T>(schema: z.ZodType<T>, call: ApiCall): Promise<T>;
  /** The same over the Query protocol; the elements of the answer that hold text, by their names. */
  form<T>(schema: z.ZodType<T>, call: FormCall): Promise<T>;
}

/** No server answers there. */
export const unreachable = (endpoint: URL, error: unknown): CliError =>
  new CliError(`No server answers at ${endpoint.origin}.`, {
    why: codeOf(error) === 'ECONNREFUSED' ? 'Nothing listens there.' : textOf(error),
    todo: 'Start it with "windsock start", or name another with --endpoint URL.',
    exitCode: exitCodes.unreachable,
    cause: error,
  });

const errorBody = z
  .object({ __type: z.string(), code: z.string(), message: z.string(), Message: z.string() })
  .partial();

const apiError = (status: number, header: unknown, body: unknown): ApiError => {
  const parsed = errorBody.safeParse(body).data ?? {};
  // restJson1: the code may carry a namespace before `#` and a URL after `:`
  const raw = typeof header === 'string' ? header : (parsed.__type ?? parsed.code ?? `HTTP ${status}`);
  const code = raw.split(':')[0]?.split('#').at(-1) ?? raw;
  return new ApiError(code, status, parsed.message ?? parsed.Message ?? '');
};

const parseJson = (text: string): unknown => {
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch {
    return undefined;
  }
};

const jsonMessage = (call: ApiCall): Message => {
  const { method, path, query = {}, body, service = 'airflow', target } = call;
  const type = target === undefined ? 'application/json' : 'application/x-amz-json-1.1';
  return {
    ...{ method, path, query, service },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    headers: {
      ...(body === undefined ? {} : { 'content-type': type }),
      ...(target === undefined ? {} : { 'x-amz-target': target }),
    },
  };
};

const formError = (status: number, xml: string): ApiError => {
  const { Code = `HTTP ${status}`, Message: text = '' } = xmlTexts(xml);
  return new ApiError(Code, status, text);
};

const sign = async (to: Connection, message: Message) => {
  const signer = new SignatureV4({
    credentials: to.credentials,
    region: to.region,
    service: message.service,
    sha256: Sha256,
  });
  const headers: Record<string, string> = {
    host: to.endpoint.host,
    'user-agent': `windsock/${ownVersion()}`,
    ...message.headers,
  };
  const base = to.endpoint.pathname.replace(/\/$/, '');
  const signed = await signer.sign({
    method: message.method,
    protocol: to.endpoint.protocol,
    hostname: to.endpoint.hostname,
    path: `${base}${message.path}`,
    query: { ...message.query },
    headers,
    body: message.body,
  });
  return { path: signed.path, headers: signed.headers };
};

const urlOf = (to: Connection, path: string, query: ApiCall['query']): URL => {
  const url = new URL(path, to.endpoint.origin);
  for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
  // the signature covers %20, never +
  url.search = url.search.replaceAll('+', '%20');
  return url;
};

/** Connections to that server, which trust its certificate. */
export const agentFor = (to: Connection): Agent => {
  const ca = to.endpoint.protocol === 'https:' && to.caFile ? readFileSync(to.caFile, 'utf8') : undefined;
  return new Agent({ connect: { timeout: 5000, ...(ca === undefined ? {} : { ca }) } });
};

const send = async (to: Connection, message: Message, signal: AbortSignal) => {
  const { path, headers } = await sign(to, message);
  const agent = agentFor(to);
  try {
    const answer = await request(urlOf(to, path, message.query), {
      method: message.method,
      headers,
      body: message.body ?? null,
      dispatcher: agent,
      signal: AbortSignal.any([signal, AbortSignal.timeout(deadline)]),
    });
    return {
      status: answer.statusCode,
      type: answer.headers['x-amzn-errortype'],
      text: await answer.body.text(),
    };
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(to.endpoint, error);
  } finally {
    await agent.destroy();
  }
};

/** How often and after how many milliseconds a call is sent again that came too soon: 30 s in all. */
const again = { times: 60, after: 500 } as const;

const isThrottled = ({ status, type }: { readonly status: number; readonly type: unknown }): boolean =>
  status === 429 || (typeof type === 'string' && type.startsWith('ThrottlingException'));

/** As AWS's clients do, a call that was throttled is sent again. */
const sendInTime = async (to: Connection, message: Message, signal: AbortSignal) => {
  for (let tries = 0; ; tries += 1) {
    const answer = await send(to, message, signal);
    if (!isThrottled(answer) || tries === again.times) return answer;
    await delay(again.after, undefined, { signal });
  }
};

const checked = <T>(to: Connection, schema: z.ZodType<T>, body: unknown): T => {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new CliError(`${to.endpoint.origin} gave an answer that is not of the MWAA API.`, {
    todo: 'Check the endpoint.',
  });
};

/** A client of the API like any other: signed requests, AWS's errors. */
export const createApiClient = (to: Connection, signal: AbortSignal): ApiClient => ({
  async call(schema, call) {
    const answer = await sendInTime(to, jsonMessage(call), signal);
    const body = parseJson(answer.text);
    if (answer.status >= 300) throw apiError(answer.status, answer.type, body);
    return checked(to, schema, body);
  },
  async form(schema, call) {
    const answer = await send(to, formMessage(call), signal);
    if (answer.status >= 300) throw formError(answer.status, answer.text);
    return checked(to, schema, xmlTexts(answer.text));
  },
});
