import { type Readable, Transform } from 'node:stream';

/** A body that came too slowly or broke off; the text is ours. */
export class BodyBroken extends Error {}

export interface GuardOptions {
  /** Milliseconds within which something must come. */
  readonly within: number;
  /** Bytes that must come in that time, as long as there are more. */
  readonly least: number;
  /** Makes the error that the reader gets. */
  readonly told: (error: unknown) => Error;
}

/** The same bytes; an error when they come too slowly or break off. Whoever destroys it destroys the source, too. */
export const guardedBody = (source: Readable, { within, least, told }: GuardOptions): Readable => {
  let came = 0;
  const guarded = new Transform({
    transform(chunk: Buffer, _, done) {
      came += chunk.length;
      done(null, chunk);
    },
  });
  const fail = (error: unknown): void => void guarded.destroy(told(error));
  const timer = setInterval(() => {
    if (came < least) fail(new BodyBroken(`it sent less than ${least} bytes in ${within / 1000} seconds`));
    came = 0;
  }, within);
  timer.unref();
  source.once('end', () => clearInterval(timer));
  source.once('error', fail);
  source.once('close', () => {
    if (!source.readableEnded) fail(new BodyBroken('the connection broke off'));
  });
  guarded.once('close', () => {
    clearInterval(timer);
    source.destroy();
  });
  return source.pipe(guarded);
};
