import type { IncomingMessage } from 'node:http';
import { requestTooLargeException, throttlingException } from '../contract/errors.ts';
import type { HeldBody } from './body-room.ts';

const usualBodyLimit = 1024 * 1024;
/** What InvokeRestApi may carry to Airflow, in both directions; in bytes. */
export const restApiBodyLimit = 6 * 1024 * 1024;
const drainTime = 1_000;

/**
 * Reads the body of any method, GET too: the signature covers it. Throws RequestEntityTooLargeException, and
 * ThrottlingException when there is no room for it, without ending the connection, so that the answer still gets
 * through. Any other error means that the client is gone, or was too slow.
 */
export const readBody = async (request: IncomingMessage, held: HeldBody): Promise<Buffer> => {
  const bodyLimit = request.url?.startsWith('/restapi/') ? restApiBodyLimit : usualBodyLimit;
  const stated = Number(request.headers['content-length'] ?? 0);
  if (stated > bodyLimit) throw requestTooLargeException(bodyLimit);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyLimit) throw requestTooLargeException(bodyLimit);
    if (!held.add(chunk.length)) throw throttlingException();
    chunks.push(chunk);
  }
  held.complete();
  return Buffer.concat(chunks);
};

/** What is left of a refused body is thrown away for a second: a client that still sends would miss the answer. */
export const drained = (request: IncomingMessage): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, drainTime);
    request.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    request.once('end', resolve);
    request.resume();
  });
