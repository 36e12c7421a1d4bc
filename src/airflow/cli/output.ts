import type { Readable } from 'node:stream';

/** What a stream said, up to a limit. */
export interface Collected {
  /** True once something was left out. */
  readonly cut: () => boolean;
  readonly bytes: () => Buffer;
}

/** Keeps at most `limit` bytes, then a line that says so; the rest is read and thrown away, so that nobody blocks. */
export const collect = (stream: Readable, limit: number): Collected => {
  const chunks: Buffer[] = [];
  let size = 0;
  let cut = false;
  stream.on('data', (chunk: Buffer) => {
    const room = limit - size;
    if (chunk.length > room) cut = true;
    if (room <= 0) return;
    const kept = chunk.subarray(0, room);
    chunks.push(kept);
    size += kept.length;
  });
  const marker = Buffer.from(`\n[output cut: more than ${limit} bytes]\n`);
  return { cut: () => cut, bytes: () => Buffer.concat(cut ? [...chunks, marker] : chunks) };
};
