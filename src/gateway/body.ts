import type { IncomingMessage } from 'node:http';
import { Refusal } from './answer.ts';

const smallBodyDeadlineMs = 10_000;

const tooLarge = (max: number): Refusal => new Refusal(413, `The body may have at most ${max} bytes.`);

const collect = async (req: IncomingMessage, max: number): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > max) throw tooLarge(max);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

/** Reads a whole body of at most `max` bytes within 10 s. Throws Refusal, while the client can still be told. */
export const readBody = async (
  req: IncomingMessage,
  max: number,
  deadlineMs = smallBodyDeadlineMs,
): Promise<Buffer> => {
  if (Number(req.headers['content-length'] ?? 0) > max) throw tooLarge(max);
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Refusal(408, 'The body did not arrive in time.')),
    deadlineMs,
  );
  try {
    return await Promise.race([collect(req, max), late.promise]);
  } finally {
    clearTimeout(timer);
  }
};

/** The body as it arrives, cut off after `max` bytes. */
export async function* limitedBody(req: IncomingMessage, max: number): AsyncGenerator<Buffer> {
  if (Number(req.headers['content-length'] ?? 0) > max) throw tooLarge(max);
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > max) throw tooLarge(max);
    yield chunk;
  }
}

/** Text in UTF-8. Throws Refusal for anything else. */
export const utf8 = (bytes: Buffer): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Refusal(400, 'The body is not UTF-8 text.');
  }
};
