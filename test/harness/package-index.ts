import {
  createServer,
  type IncomingMessage,
  request as plainRequest,
  type Server,
  type ServerResponse,
} from 'node:http';
import { request as tlsRequest } from 'node:https';
import { plainEnvironment } from './tools.ts';

const real = (): string => {
  const env = plainEnvironment('/');
  const named = env['UV_DEFAULT_INDEX'] ?? env['UV_INDEX_URL'] ?? env['PIP_INDEX_URL'];
  return (named ?? 'https://pypi.org/simple').replace(/\/+$/, '');
};

const passed = [
  'content-type',
  'content-length',
  'content-range',
  'accept-ranges',
  'etag',
  'cache-control',
] as const;

/**
 * The package index of this machine behind a port of one's own, which may be away or break off in the middle of an
 * answer. Links to files elsewhere are made to lead through it.
 */
export class PackageIndex {
  readonly #port: number;
  #server: Server | undefined;
  #left = Number.POSITIVE_INFINITY;
  /** Answers that were broken off. */
  cuts = 0;
  files = 0;

  constructor(port: number) {
    this.#port = port;
  }

  get env(): Readonly<Record<string, string>> {
    const address = `http://127.0.0.1:${this.#port}/simple`;
    return { UV_DEFAULT_INDEX: address, UV_INDEX_URL: address, NO_PROXY: '127.0.0.1' };
  }

  open(): Promise<void> {
    const server = createServer((req, res) => this.#answer(req, res));
    this.#server = server;
    return new Promise((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
  }

  close(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  /** So many answers are whole; each later one ends in its middle. */
  cutAfter(answers: number): void {
    this.#left = answers;
  }

  #addressOf(path: string): string {
    const [, scheme, rest] = /^\/via\/(https?)\/(.*)$/.exec(path) ?? [];
    return scheme === undefined ? `${real()}${path.replace(/^\/simple/, '')}` : `${scheme}://${rest}`;
  }

  #answer(req: IncomingMessage, res: ServerResponse): void {
    const path = req.url ?? '/';
    const url = new URL(this.#addressOf(path));
    const headers: Record<string, string> = { 'accept-encoding': 'identity' };
    for (const name of ['accept', 'range', 'user-agent'] as const)
      if (req.headers[name] !== undefined) headers[name] = req.headers[name];
    const send = url.protocol === 'https:' ? tlsRequest : plainRequest;
    const sent = send(url, { method: req.method ?? 'GET', headers, timeout: 60_000 }, (answer) =>
      this.#pass(answer, res, path.startsWith('/simple')),
    );
    sent.on('timeout', () => sent.destroy(new Error('the index does not answer')));
    sent.on('error', () => res.destroy());
    res.once('close', () => sent.destroy());
    sent.end();
  }

  #pass(answer: IncomingMessage, res: ServerResponse, isPage: boolean): void {
    this.#left -= 1;
    const headers: Record<string, string> = {};
    for (const name of passed)
      if (typeof answer.headers[name] === 'string') headers[name] = answer.headers[name];
    if (typeof answer.headers.location === 'string')
      headers['location'] = this.#through(answer.headers.location);
    if (isPage) delete headers['content-length'];
    else this.files += 1;
    res.writeHead(answer.statusCode ?? 502, headers);
    answer.on('error', () => res.destroy());
    if (this.#left < 0) answer.once('data', (bytes: Buffer) => this.#cut(res, bytes));
    else if (isPage) this.#passPage(answer, res);
    else answer.pipe(res);
  }

  #cut(res: ServerResponse, bytes: Buffer): void {
    this.cuts += 1;
    res.write(bytes.subarray(0, bytes.length / 2), () => res.destroy());
  }

  #passPage(answer: IncomingMessage, res: ServerResponse): void {
    const parts: Buffer[] = [];
    answer.on('data', (bytes: Buffer) => parts.push(bytes));
    answer.on('end', () => res.end(this.#through(Buffer.concat(parts).toString('utf8'))));
  }

  #through(text: string): string {
    return text.replaceAll(
      /\b(https?):\/\/(?=[^\s"'<>]+\.(whl|tar\.gz|zip)\b)/g,
      `http://127.0.0.1:${this.#port}/via/$1/`,
    );
  }
}
