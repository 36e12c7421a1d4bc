import { closeSync, constants, fstatSync, ftruncateSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf, textOf } from './errors.ts';
import type { LogEvent } from './log-events.ts';

/**
 * Takes whole lines. Never throws and never waits: a line that cannot be written is lost, and how many were lost
 * is told in a line of its own once it works again.
 */
export interface LineSink {
  /** One line, with its newline. */
  write(line: string): void;
  /** Writes what still waits, at most for a second. */
  close(): void;
}

class LostLines {
  #lines = 0;
  #reason = '';

  add(lines: number, error: unknown): void {
    this.#lines += lines;
    this.#reason = codeOf(error) ?? textOf(error);
  }

  /** The line to write before the next one; '' when nothing was lost. */
  get line(): string {
    if (this.#lines === 0) return '';
    const message: LogEvent = 'log lines lost';
    const about = { level: 'warn', time: new Date().toISOString(), lines: this.#lines, reason: this.#reason };
    return `${JSON.stringify({ ...about, message })}\n`;
  }

  told(): void {
    this.#lines = 0;
  }
}

/** Writes all bytes; cuts the file back when only a part got in, so that the next line begins a line. */
const appendWhole = (fd: number, text: string): void => {
  const bytes = Buffer.from(text);
  let at = 0;
  try {
    while (at < bytes.length) at += writeSync(fd, bytes, at);
  } catch (error) {
    if (at > 0) ftruncateSync(fd, Math.max(0, fstatSync(fd).size - at));
    throw error;
  }
};

/** Appends to a file of mode 0600, which is made, with its folder, when it is missing. */
export const fileSink = (file: string): LineSink => {
  const lost = new LostLines();
  let fd: number | undefined;
  const open = (): number => {
    mkdirSync(dirname(file), { recursive: true });
    return openSync(file, 'a', 0o600);
  };
  return {
    write: (line) => {
      try {
        fd ??= open();
        appendWhole(fd, lost.line + line);
        lost.told();
      } catch (error) {
        lost.add(1, error);
      }
    },
    close: () => {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
};

const longestQueue = 4 * 1024 * 1024;
const lookAgain = 20;
const sleep = (milliseconds: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
};

/** A reader that stopped reading a pipe must not stop the server: a description of its own that does not block. */
const notBlocking = (fd: number): number => {
  try {
    if (!fstatSync(fd).isFIFO()) return fd;
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return fd;
  }
};

/** Writes to an open file, pipe, socket or terminal; keeps 4 MiB for a reader that is slow. */
export class DescriptorSink implements LineSink {
  readonly #given: number;
  #fd: number | undefined;
  readonly #lost = new LostLines();
  #waiting: Buffer[] = [];
  #bytes = 0;
  /** The first one that waits was written in part. */
  #begun = false;
  #torn = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(fd: number) {
    this.#given = fd;
    this.#fd = notBlocking(fd);
  }

  write(line: string): void {
    if (this.#fd === undefined) return;
    const bytes = Buffer.from((this.#torn ? '\n' : '') + this.#lost.line + line);
    if (this.#bytes + bytes.length > longestQueue) this.#lost.add(1, new Error('nobody reads them'));
    else {
      this.#lost.told();
      this.#torn = false;
      this.#waiting.push(bytes);
      this.#bytes += bytes.length;
      this.#drain();
    }
  }

  close(): void {
    const deadline = performance.now() + 1_000;
    for (this.#drain(); this.#waiting.length > 0 && performance.now() < deadline; this.#drain()) sleep(10);
    clearTimeout(this.#timer);
    if (this.#fd !== undefined && this.#fd !== this.#given) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #drain(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const fd = this.#fd;
    for (let first = this.#waiting[0]; first && fd !== undefined; first = this.#waiting[0]) {
      if (!this.#wrote(fd, first)) return;
    }
  }

  /** False when the rest has to wait. */
  #wrote(fd: number, first: Buffer): boolean {
    try {
      const count = writeSync(fd, first);
      this.#bytes -= count;
      this.#begun = count < first.length;
      if (this.#begun) this.#waiting[0] = first.subarray(count);
      else this.#waiting.shift();
      return true;
    } catch (error) {
      if (codeOf(error) === 'EAGAIN') {
        this.#timer = setTimeout(() => this.#drain(), lookAgain).unref();
        return false;
      }
      this.#lost.add(this.#waiting.length, error);
      this.#torn ||= this.#begun;
      this.#begun = false;
      this.#waiting = [];
      this.#bytes = 0;
      return false;
    }
  }
}
