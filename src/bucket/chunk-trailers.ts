import { s3Error } from '../contract/s3-errors.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ChunkSignatures } from './chunk-signatures.ts';

/** Trailers by lower-case name. */
export type Trailers = ReadonlyMap<string, string>;

const mostTrailers = 8;
const longestTrailer = 1024;
const signatureName = 'x-amz-trailer-signature';

const malformed = (why: string) =>
  s3Error(
    'MalformedTrailerError',
    `The request contained trailing data that was not well-formed or did not conform to our published schema: ${why}.`,
  );

/** minio-go also writes the line feed that the signature is made over. */
const withoutLineFeed = (line: string): string => (line.endsWith('\n') ? line.slice(0, -1) : line);

const parse = (line: string): readonly [name: string, value: string] => {
  const [, name, value] = /^([a-z0-9-]+):[ \t]*([\x21-\x7e]+)[ \t]*$/.exec(withoutLineFeed(line)) ?? [];
  if (name === undefined || value === undefined)
    throw malformed('a trailer is a lower-case name, a colon and a value');
  return [name, value];
};

const readLines = async (reader: ByteReader): Promise<Map<string, string>> => {
  const found = new Map<string, string>();
  for (let line = await reader.line(longestTrailer); line !== ''; line = await reader.line(longestTrailer)) {
    const [name, value] = parse(line);
    if (found.has(signatureName)) throw malformed('the signature is the last trailer');
    if (found.has(name)) throw malformed('a trailer is given twice');
    if (found.size >= mostTrailers) throw malformed('there are too many trailers');
    found.set(name, value);
  }
  return found;
};

const checkSignature = (
  trailers: Trailers,
  signature: string | undefined,
  signatures: ChunkSignatures | undefined,
): void => {
  if (!signatures && signature !== undefined) throw malformed('only signed chunks have a signed trailer');
  if (!signatures) return;
  if (signature === undefined || !/^[0-9a-f]{64}$/.test(signature))
    throw malformed(`the last trailer must be ${signatureName}, 64 lower-case hexadecimal digits`);
  signatures.trailer([...trailers].map(([name, value]) => `${name}:${value}\n`).join(''), signature);
};

/**
 * Reads what is behind the last chunk, to the empty line. They are exactly those that x-amz-trailer announces.
 * @throws MalformedTrailerError, SignatureDoesNotMatch
 */
export const readTrailers = async (
  reader: ByteReader,
  announced: readonly string[],
  signatures: ChunkSignatures | undefined,
): Promise<Trailers> => {
  const trailers = await readLines(reader);
  const signature = trailers.get(signatureName);
  trailers.delete(signatureName);
  checkSignature(trailers, signature, signatures);
  if (announced.length !== trailers.size || !announced.every((name) => trailers.has(name)))
    throw malformed('the trailers are not those of x-amz-trailer');
  return trailers;
};
