import type { Dispatcher, Pool } from 'undici';
import { textOf, WindsockError } from '../lib/errors.ts';

/** A request for the REST API of an Airflow, ready to be sent. */
export interface RestCall {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

export interface RestAnswer {
  readonly status: number;
  readonly location: string | undefined;
  readonly body: Buffer;
}

export interface RestLimits {
  /** From the first byte that is sent to the last that comes. */
  readonly milliseconds: number;
  /** Of the answer's body. */
  readonly bytes: number;
}

/** There is no answer to pass on. Whether Airflow acted on the request is not known. */
export class NoRestAnswer extends WindsockError {
  readonly why: 'timed-out' | 'too-large' | 'failed';

  constructor(why: NoRestAnswer['why'], text: string, cause?: unknown) {
    super('NoRestAnswer', text, { cause, ...(cause === undefined ? {} : { detail: textOf(cause) }) });
    this.why = why;
  }
}

const readBody = async (answer: Dispatcher.ResponseData, limit: number): Promise<Buffer> => {
  const tooLarge = () =>
    new NoRestAnswer('too-large', `The answer of Airflow is larger than ${limit} bytes.`);
  const chunks: Buffer[] = [];
  let size = Number(answer.headers['content-length'] ?? 0);
  if (size > limit) {
    answer.body.on('error', () => {}).destroy();
    throw tooLarge();
  }
  size = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

/** Sends one request and reads the whole answer. Follows no redirect, tries nothing twice. Throws NoRestAnswer. */
export const callRestApi = async (pool: Pool, call: RestCall, limits: RestLimits): Promise<RestAnswer> => {
  const signal = AbortSignal.timeout(limits.milliseconds);
  try {
    const answer = await pool.request({
      method: call.method as Dispatcher.HttpMethod,
      path: call.path,
      headers: call.headers,
      body: call.body ?? null,
      signal,
    });
    const location = [answer.headers['location'] ?? []].flat()[0];
    return { status: answer.statusCode, location, body: await readBody(answer, limits.bytes) };
  } catch (error) {
    if (error instanceof NoRestAnswer) throw error;
    if (signal.aborted) {
      const seconds = limits.milliseconds / 1000;
      throw new NoRestAnswer('timed-out', `Airflow did not answer within ${seconds} seconds.`, error);
    }
    throw new NoRestAnswer('failed', 'The web server of Airflow did not answer.', error);
  }
};
