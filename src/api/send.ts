import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { ApiResponse } from './restjson.ts';

/** Tells the client that no other request is read on this connection. */
export const endConnection = { connection: 'close' };

/** Milliseconds in which a client must take something of a streamed answer. */
const stalled = 120_000;

/** Throws where a header cannot be written; the stream is closed then. */
const writeHead = (response: ServerResponse, { status, stream }: ApiResponse, headers: object): void => {
  try {
    response.writeHead(status, { ...headers });
  } catch (error) {
    stream?.destroy();
    throw error;
  }
};

/**
 * Writes an answer; resolves once a streamed one has gone out, as fast as the client takes it, or the client is gone.
 * Throws when the stream fails: the connection is cut then, because the status has been sent. Also where a header cannot
 * be written: nothing has been sent then.
 */
export const send = async (
  response: ServerResponse,
  answer: ApiResponse,
  more: object = {},
): Promise<void> => {
  const { status, headers, body, stream } = answer;
  const bytes = Buffer.from(body);
  if (!stream) {
    // 204 and 304 must have none (RFC 9110 8.6); a HEAD answer tells that of the object
    const isBare = status === 204 || status === 304 || headers['content-length'] !== undefined;
    const length = isBare ? {} : { 'content-length': bytes.length };
    writeHead(response, answer, { ...more, ...headers, ...length });
    return void response.end(bytes);
  }
  if (response.destroyed) return void stream.destroy();
  response.setTimeout(stalled, () => response.destroy());
  writeHead(response, answer, { ...more, ...headers });
  try {
    await pipeline(stream, response);
  } catch (error) {
    // A client that went away is no fault; the stream has been closed with it.
    if (stream.errored && stream.errored === error && !isAbort(error)) throw error;
  }
};

const isAbort = (error: unknown): boolean =>
  (error as { code?: unknown }).code === 'ERR_STREAM_PREMATURE_CLOSE';
