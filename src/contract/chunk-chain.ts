/** What the chunks of a signed body are verified with, each over the signature of the one before. */
export interface ChunkChain {
  /** Signs with the signing key of the request: 64 lower-case hex digits. */
  readonly sign: (text: string) => string;
  /** `YYYYMMDDTHHMMSSZ`. */
  readonly timestamp: string;
  /** `YYYYMMDD/REGION/s3/aws4_request`. */
  readonly scope: string;
  /** The signature of the head. */
  readonly seedSignature: string;
}
