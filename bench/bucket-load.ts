// A client of S3 that costs little: what it sends is signed and hashed before the time is taken.
import { createHash } from 'node:crypto';
import { Agent, request } from 'node:http';
import aws4 from 'aws4';

interface Key {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

interface Prepared {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string | number>;
  readonly body?: Buffer;
}

const bucket = 'bench';

/** Puts and gets the objects of one job. */
export class BucketLoad {
  readonly key: Key;
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });
  #puts: readonly Prepared[] = [];
  #gets: readonly Prepared[] = [];
  #deletes: readonly Prepared[] = [];
  readonly #ids: string[] = [];

  constructor(port: number, key: Key) {
    this.#port = port;
    this.key = key;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  #signed(method: string, path: string, body: Buffer | undefined, sha256: string): Prepared {
    const headers = { 'x-amz-content-sha256': sha256, 'content-length': String(body?.length ?? 0) };
    const host = `127.0.0.1:${this.#port}`;
    const signed = aws4.sign(
      { method, path, host, headers, service: 's3', region: 'us-east-1' } as aws4.Request,
      this.key,
    );
    return { method, path, headers: signed.headers, ...(body ? { body } : {}) };
  }

  #send({ method, path, headers, body }: Prepared): Promise<string> {
    return new Promise((resolve, reject) => {
      const target = { host: '127.0.0.1', port: this.#port, agent: this.#agent };
      const sent = request({ ...target, method, path, headers }, (answer) => {
        answer.resume().on('error', reject);
        answer.on('end', () => {
          const status = answer.statusCode ?? 0;
          if (status < 300) resolve(String(answer.headers['x-amz-version-id'] ?? ''));
          else reject(new Error(`${method} ${path}: ${status}`));
        });
      });
      sent.on('error', reject).end(body);
    });
  }

  async makeBucket(): Promise<void> {
    await this.#send(this.#signed('PUT', `/${bucket}`, undefined, createHash('sha256').digest('hex')));
  }

  prepare(prefix: string, { bytes, count }: { readonly bytes: number; readonly count: number }): void {
    const body = Buffer.alloc(bytes, 'x');
    const [sha256, empty] = [body, ''].map((one) => createHash('sha256').update(one).digest('hex'));
    const all = (method: string, content?: Buffer) =>
      Array.from({ length: count }, (_, n) =>
        this.#signed(method, `/${bucket}/${prefix}/${n}`, content, (content ? sha256 : empty) ?? ''),
      );
    this.#ids.length = 0;
    [this.#puts, this.#gets, this.#deletes] = [all('PUT', body), all('GET'), all('DELETE')];
  }

  async put(n: number): Promise<void> {
    const one = this.#puts[n];
    if (one) this.#ids[n] = await this.#send(one);
  }

  async get(n: number): Promise<void> {
    const one = this.#gets[n];
    if (one) await this.#send(one);
  }

  /** Removes the bytes as well. */
  async clear(): Promise<void> {
    const empty = createHash('sha256').digest('hex');
    for (const [n, one] of this.#deletes.entries()) {
      const id = this.#ids[n];
      const isVersion = id !== undefined && id !== '';
      await this.#send(
        isVersion ? this.#signed('DELETE', `${one.path}?versionId=${id}`, undefined, empty) : one,
      );
    }
  }
}
