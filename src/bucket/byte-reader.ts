/** Reads a stream of bytes as lines and lengths; holds no more than one of its chunks and the line that is being read. */
export interface ByteReader {
  /**
   * Up to the next CRLF, without it, one byte a character; throws `tooLong` when it does not come after so many bytes, and
   * `truncated` when the stream ends before.
   */
  line(most: number): Promise<string>;
  /** So many bytes, in pieces as they come; throws `truncated`. */
  bytes(count: number): AsyncGenerator<Uint8Array>;
  /** True when nothing follows. */
  isAtEnd(): Promise<boolean>;
  /** Lets go of the stream. */
  close(): Promise<void>;
}

const nothing = Buffer.alloc(0);

const asBuffer = ({ buffer, byteOffset, length }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, length);

interface Held {
  /** What came and was not read yet; waits for more when that is nothing. Empty at the end of the stream. */
  some(): Promise<Buffer>;
  drop(count: number): void;
}

const hold = (source: AsyncIterator<Uint8Array>): Held => {
  let held: Buffer = nothing;
  return {
    some: async () => {
      while (held.length === 0) {
        const next = await source.next();
        if (next.done) break;
        held = asBuffer(next.value);
      }
      return held;
    },
    drop: (count) => {
      held = held.subarray(count);
    },
  };
};

const readLine = async (held: Held, most: number, faults: Faults): Promise<string> => {
  for (let text = ''; ; ) {
    const some = await held.some();
    if (some.length === 0) throw faults.truncated();
    const before = text.length;
    text += some.toString('latin1', 0, most + 2 - before);
    const end = text.indexOf('\r\n');
    held.drop(end < 0 ? text.length - before : end + 2 - before);
    if (end >= 0) return text.slice(0, end);
    if (text.length >= most + 2) throw faults.tooLong();
  }
};

const readBytes = async function* (held: Held, count: number, faults: Faults): AsyncGenerator<Uint8Array> {
  for (let rest = count; rest > 0; ) {
    const piece = (await held.some()).subarray(0, rest);
    if (piece.length === 0) throw faults.truncated();
    held.drop(piece.length);
    rest -= piece.length;
    yield piece;
  }
};

/** What is thrown. */
interface Faults {
  readonly truncated: () => Error;
  readonly tooLong: () => Error;
}

export const createByteReader = (stream: AsyncIterable<Uint8Array>, faults: Faults): ByteReader => {
  const source = stream[Symbol.asyncIterator]();
  const held = hold(source);
  return {
    line: (most) => readLine(held, most, faults),
    bytes: (count) => readBytes(held, count, faults),
    isAtEnd: async () => (await held.some()).length === 0,
    close: async () => {
      await source.return?.();
    },
  };
};
