import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';

type Bytes = string | ArrayBuffer | ArrayBufferView;

const readable = (data: Bytes): string | Uint8Array =>
  typeof data === 'string'
    ? data
    : ArrayBuffer.isView(data)
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      : new Uint8Array(data);

/** SHA-256 as `SignatureV4` of @smithy/signature-v4 takes it; with a secret it is HMAC-SHA-256. Text is UTF-8. */
export class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: Bytes) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', readable(secret));
  }

  update(data: Bytes): void {
    this.#hash.update(readable(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
}
