import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';

/**
 * Bytes of one answer that wait for a slow client before no more are taken from the upstream: with 64 KiB, 2 MB take 35
 * writes and 10 turns of the loop, with these 21 and 4.
 */
const mostWaiting = 256 * 1024;

/** Of an answer whose head alone is wanted, so many bytes are thrown away before its connection is given up. */
const mostDropped = 64 * 1024;

/** Whoever asked went away before the whole answer was handed on. */
class ClientGone extends Error {
  constructor() {
    super('the client went away');
  }
}

/** The head of an answer was wanted, and is there. */
class HeadOnly extends Error {
  constructor() {
    super('the client asked with HEAD');
  }
}

/** The headers that the client gets instead of those of the upstream. */
export type AnswerHeaders = (upstream: IncomingHttpHeaders) => OutgoingHttpHeaders;

/** What undici tells of one request, written to the client piece by piece, with no stream in between. */
class Relay implements Dispatcher.DispatchHandler {
  readonly #body: Dispatcher.DispatchOptions['body'];
  readonly #res: ServerResponse;
  readonly #headersOf: AnswerHeaders;
  readonly #settle = Promise.withResolvers<number>();
  #controller: Dispatcher.DispatchController | undefined;

  constructor(body: Dispatcher.DispatchOptions['body'], res: ServerResponse, headersOf: AnswerHeaders) {
    this.#body = body;
    this.#res = res;
    this.#headersOf = headersOf;
    res.once('close', () => this.#closed());
  }

  /** The client sent HEAD, whatever the upstream was asked with. */
  get #isHead(): boolean {
    return this.#res.req.method === 'HEAD';
  }

  get done(): Promise<number> {
    return this.#settle.promise;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // it may have waited long for its turn
    if (this.#res.destroyed) controller.abort(new ClientGone());
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (status < 200) return;
    this.#res.writeHead(status, this.#headersOf(headers));
    if (this.#isHead && status !== 304 && !(Number(headers['content-length']) <= mostDropped))
      this.#endAtHead(controller);
  }

  /** The rest of the answer may never end: an event stream, a log that is followed. */
  #endAtHead(controller: Dispatcher.DispatchController): void {
    this.#res.end();
    this.#settle.resolve(this.#res.statusCode);
    controller.abort(new HeadOnly());
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isHead) return;
    if (this.#res.write(chunk) || this.#res.writableLength < mostWaiting || controller.paused) return;
    controller.pause();
    this.#res.once('drain', () => controller.resume());
  }

  onResponseEnd(): void {
    this.#res.end();
  }

  onResponseError(_: unknown, error: Error): void {
    this.#settle.reject(error);
    if (this.#body instanceof Readable) this.#body.on('error', () => {}).destroy();
  }

  #closed(): void {
    if (this.#res.writableFinished) {
      this.#settle.resolve(this.#res.statusCode);
      return;
    }
    const gone = new ClientGone();
    this.#settle.reject(gone);
    this.#controller?.abort(gone);
  }
}

/**
 * Sends a request and hands the answer on as it comes, to HEAD without its body. Resolves with the status once all of it is handed on; rejects
 * when the upstream breaks, with the answer left as far as it came, or when the client goes, which ends the request.
 */
export const relay = async (
  upstream: Dispatcher,
  request: Dispatcher.DispatchOptions,
  res: ServerResponse,
  headersOf: AnswerHeaders,
): Promise<number> => {
  if (res.destroyed) throw new ClientGone();
  const handler = new Relay(request.body, res, headersOf);
  upstream.dispatch(request, handler);
  return handler.done;
};
