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

/** How long a sender may wait, and how slow it may be over all. */
export interface Pace {
  readonly silentMs: number;
  /** After the first `silentMs`. */
  readonly bytesPerSecond: number;
}

const usualPace: Pace = { silentMs: 60_000, bytesPerSecond: 500 };

const tooSlow = (): Refusal => new Refusal(408, 'The body arrived too slowly.');

/** The next chunk of a body. Throws Refusal 408 when it does not come in time. */
const nextInTime = async (
  chunks: AsyncIterator<Buffer>,
  ms: number,
): Promise<IteratorResult<Buffer, unknown>> => {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(tooSlow()), ms);
  try {
    return await Promise.race([chunks.next(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
};

/**
 * The body as it arrives, however long it takes while it goes on. Throws Refusal after `max` bytes, and for a sender
 * that is silent or trickles: it would hold a connection to Airflow for nothing.
 */
export async function* limitedBody(
  req: IncomingMessage,
  max: number,
  { silentMs, bytesPerSecond }: Pace = usualPace,
): AsyncGenerator<Buffer> {
  if (Number(req.headers['content-length'] ?? 0) > max) throw tooLarge(max);
  const chunks = req.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  let [size, waited] = [0, 0];
  for (;;) {
    const begun = performance.now();
    const next = await nextInTime(chunks, silentMs);
    if (next.done) return;
    // only what the sender takes counts: Airflow may be slower
    waited += performance.now() - begun;
    size += next.value.length;
    if (size > max) throw tooLarge(max);
    if (waited > silentMs + (1000 * size) / bytesPerSecond) throw tooSlow();
    yield next.value;
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
