import { Readable } from 'node:stream';

async function* watched(stream: Readable, milliseconds: number): AsyncGenerator<Buffer> {
  const timer = setTimeout(
    () => stream.destroy(new Error(`nothing came for ${milliseconds / 1000} seconds`)),
    milliseconds,
  );
  try {
    for await (const chunk of stream) {
      timer.refresh();
      yield chunk;
    }
  } finally {
    clearTimeout(timer);
    stream.destroy();
  }
}

/** The same bytes; an error when none comes for so many milliseconds. */
export const failOnSilence = (stream: Readable, milliseconds: number): Readable => {
  const guarded = Readable.from(watched(stream, milliseconds), { objectMode: false });
  // nobody may ever read
  guarded.once('close', () => stream.destroy());
  return guarded;
};
