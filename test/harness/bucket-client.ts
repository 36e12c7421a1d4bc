import { Agent, request } from 'node:http';
import aws4 from 'aws4';
import { rootKey } from './mwaa.ts';
import type { Place } from './server.ts';

/** What S3 answered. */
export interface BucketAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** One of the versions of a bucket, markers among them. */
export interface ListedVersion {
  readonly key: string;
  readonly versionId: string;
  readonly isLatest: boolean;
  readonly isMarker: boolean;
}

export interface BucketCall {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

const member = (xml: string, name: string): string => new RegExp(`<${name}>([^<]*)</`).exec(xml)?.[1] ?? '';

/** The root user against the S3 endpoint of a place, over signed requests. */
export class BucketClient {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  /** @throws when the connection breaks */
  call(method: string, path: string, { headers = {}, body = '' }: BucketCall = {}): Promise<BucketAnswer> {
    const { accessKeyId, secretAccessKey } = rootKey(this.#place);
    const signed = aws4.sign(
      {
        ...{ method, path, body, service: 's3', region: 'us-east-1' },
        host: `localhost:${this.#place.ports.api}`,
        headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      } as aws4.Request,
      { accessKeyId, secretAccessKey },
    );
    return new Promise((resolve, reject) => {
      const agent = new Agent({ keepAlive: false });
      const target = { host: '127.0.0.1', port: this.#place.ports.api, agent, timeout: 60_000 };
      const sent = request({ ...target, method, path, headers: signed.headers }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }),
        );
      });
      sent.on('timeout', () => sent.destroy(new Error('no answer'))).on('error', reject);
      sent.end(body);
    });
  }

  /** @throws Error for every other status than those of success */
  async must(method: string, path: string, call: BucketCall = {}): Promise<BucketAnswer> {
    const answer = await this.call(method, path, call);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`);
    return answer;
  }

  /** The latest version or the one that is named; undefined when there is none. */
  async get(bucket: string, key: string, versionId?: string): Promise<Buffer | undefined> {
    const query = versionId === undefined ? '' : `?versionId=${versionId}`;
    const answer = await this.call('GET', `/${bucket}/${key}${query}`);
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw new Error(`${bucket}/${key}: ${answer.status} ${answer.body}`);
    return answer.body;
  }

  async keys(bucket: string, prefix = ''): Promise<readonly string[]> {
    const { body } = await this.must('GET', `/${bucket}?list-type=2&prefix=${prefix}`);
    return [...String(body).matchAll(/<Key>([^<]*)</g)].map((match) => match[1] ?? '');
  }

  async versions(bucket: string, prefix = ''): Promise<readonly ListedVersion[]> {
    const { body } = await this.must('GET', `/${bucket}?prefix=${prefix}&versions`);
    return [...String(body).matchAll(/<(Version|DeleteMarker)>(.*?)<\/\1>/gs)].map(([, kind, xml = '']) => ({
      ...{ key: member(xml, 'Key'), versionId: member(xml, 'VersionId') },
      ...{ isLatest: member(xml, 'IsLatest') === 'true', isMarker: kind === 'DeleteMarker' },
    }));
  }

  async beginUpload(bucket: string, key: string): Promise<string> {
    return member(String((await this.must('POST', `/${bucket}/${key}?uploads`)).body), 'UploadId');
  }

  async putPart(path: string, uploadId: string, number: number, body: Buffer): Promise<string> {
    const query = `partNumber=${number}&uploadId=${uploadId}`;
    return String((await this.must('PUT', `${path}?${query}`, { body })).headers['etag']);
  }

  complete(path: string, uploadId: string, etags: readonly string[]): Promise<BucketAnswer> {
    const parts = etags.map(
      (etag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${etag}</ETag></Part>`,
    );
    const body = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`;
    return this.must('POST', `${path}?uploadId=${uploadId}`, { body });
  }
}
