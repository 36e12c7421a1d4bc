import { standardInput } from './input.ts';
import { run } from './run.ts';

const ended = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => ended.abort(new Error(signal)));
// `windsock … | head` closes the pipe: not an error of ours
process.stdout.on('error', () => process.exit(0));

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  errIsTerminal: process.stderr.isTTY,
  input: standardInput(ended.signal),
  isRoot: process.geteuid?.() === 0,
  platform: process.platform,
  signal: ended.signal,
});
