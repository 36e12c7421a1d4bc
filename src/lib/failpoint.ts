import { appendFileSync, readFileSync } from 'node:fs';

type Action =
  | { readonly kind: 'kill' }
  | { readonly kind: 'throw'; readonly code: string }
  | { readonly kind: 'sleep'; readonly milliseconds: number }
  | { readonly kind: 'record'; readonly file: string };

let armedWith: string | undefined;

const actionOf = (text: string): Action | undefined => {
  const colon = text.indexOf(':');
  const [kind, argument] = colon === -1 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
  if (kind === 'kill') return { kind };
  if (kind === 'throw') return { kind, code: argument || 'EIO' };
  if (kind === 'sleep') return { kind, milliseconds: Number(argument) };
  return kind === 'record' ? { kind, file: argument } : undefined;
};

const actionFor = (name: string, file: string): Action | undefined => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  for (const line of text.split('\n')) {
    const at = line.indexOf('=');
    const wanted = line.slice(0, at);
    if (at > 0 && (wanted === name || wanted === '*')) return actionOf(line.slice(at + 1).trim());
  }
  return undefined;
};

const perform = (name: string, action: Action): void => {
  if (action.kind === 'kill') process.kill(process.pid, 'SIGKILL');
  else if (action.kind === 'sleep')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, action.milliseconds);
  else if (action.kind === 'record') appendFileSync(action.file, `${name}\n`);
  else throw Object.assign(new Error(`${action.code}: failpoint ${name}`), { code: action.code });
};

/**
 * Lets tests decide, while the server runs, what happens at its failpoints. The file holds lines
 * `NAME=kill | throw:CODE | sleep:MILLISECONDS | record:FILE`; `*` stands for every name.
 */
export const armFailpoints = (file: string): void => {
  armedWith = file;
};

/** A place where a test may end this process as `kill -9` would, fail, or wait. Nothing happens unless armed. */
export const failpoint = (name: string): void => {
  if (armedWith === undefined) return;
  const action = actionFor(name, armedWith);
  if (action) perform(name, action);
};
