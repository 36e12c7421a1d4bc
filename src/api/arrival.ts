import type { IncomingMessage, ServerResponse } from 'node:http';
import { s3Error } from '../contract/s3-errors.ts';

/** Milliseconds in which a body that is read whole must have come; the same of silence in one that is streamed. */
const arrivalTimeout = 30_000;

/** What Node itself writes to whoever is too slow. */
const tooSlow = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n';

/**
 * Ends the connection of a request that has not come whole in time, as the HTTP server of Node would: its own timeout
 * knows no request that may take longer. Call what this gives when the request may.
 */
export const boundArrival = (
  request: IncomingMessage,
  response: ServerResponse,
  patience = arrivalTimeout,
): (() => void) => {
  const { socket } = request;
  const timer = setTimeout(() => {
    if (request.complete) return;
    if (!response.headersSent && response.socket === socket && socket.writable) socket.write(tooSlow);
    socket.destroySoon();
  }, patience);
  timer.unref();
  const stop = () => clearTimeout(timer);
  request.once('close', stop);
  return stop;
};

const silent = () =>
  s3Error(
    'RequestTimeout',
    'Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.',
  );

const incomplete = (cause: unknown) =>
  s3Error(
    'IncompleteBody',
    'You did not provide the number of bytes specified by the Content-Length HTTP header',
    { cause },
  );

/** Settles as the promise does, unless that takes longer. Throws RequestTimeout. */
const inTime = async <T>(work: Promise<T>, patience: number): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(silent()), patience);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
};

/** Bytes that a body which may take long brings in each `patience` of waiting, on average. */
const leastBytes = 16 * 1024;

/**
 * The body of a request as it comes. Only the wait for the next bytes is bounded, so whoever reads slowly is not blamed:
 * by `patience`, and by a least rate, so that a byte now and then keeps no connection. The connection stays open for the
 * answer, and what is left of a body that is not read to its end can be drained. Throws RequestTimeout, and
 * IncompleteBody when the client is gone.
 */
export async function* streamedBody(
  request: IncomingMessage,
  patience = arrivalTimeout,
  least = leastBytes,
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = request.iterator({ destroyOnReturn: false })[Symbol.asyncIterator]();
  let isWaiting = false;
  let left = patience;
  try {
    for (;;) {
      const next = chunks.next().catch((error: unknown) => {
        throw incomplete(error);
      });
      const since = performance.now();
      isWaiting = true;
      const { done, value } = await inTime(next, left);
      isWaiting = false;
      if (done) return;
      const { length } = value as Buffer;
      const waited = performance.now() - since;
      left = Math.min(patience, Math.max(0, left - waited) + (patience * length) / least);
      yield value as Buffer;
    }
  } finally {
    // its listener would keep the rest from being drained; one that waits for bytes cannot be ended
    if (!isWaiting) await chunks.return?.();
  }
}
