import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { Input } from './context.ts';

/** Standard input. What is typed is not echoed where it is a secret. Ends with undefined when `signal` aborts. */
export const standardInput = (signal: AbortSignal): Input => ({
  isTerminal: process.stdin.isTTY,
  async line(question, { isSecret = false } = {}) {
    const terminal = process.stdin.isTTY;
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
    if (terminal) process.stderr.write(question);
    const lines = createInterface({
      input: process.stdin,
      output: isSecret ? nowhere : process.stderr,
      terminal,
    });
    const close = () => lines.close();
    signal.addEventListener('abort', close, { once: true });
    try {
      return await new Promise<string | undefined>((resolve) => {
        lines.once('line', resolve);
        lines.once('close', () => resolve(undefined));
      });
    } finally {
      signal.removeEventListener('abort', close);
      lines.close();
      if (terminal && isSecret) process.stderr.write('\n');
    }
  },
});
