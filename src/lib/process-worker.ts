// The thread that looks for processes: reading all of /proc takes long enough to hold up whatever else a thread does.
import { parentPort } from 'node:worker_threads';
import { codeOf, textOf } from './errors.ts';
import type { Answer, Ask } from './process-asks.ts';
import { selectFrom } from './process-selection.ts';
import { allProcesses, type ProcessFacts, type ProcessId, sendSignal } from './processes.ts';

/** KILLs every one that can be; the next look finds the others. */
const killEach = (found: readonly ProcessId[]): void => {
  const faults: unknown[] = [];
  for (const id of found) {
    try {
      sendSignal(id, 'SIGKILL');
    } catch (error) {
      if (codeOf(error) !== 'EPERM') faults.push(error);
    }
  }
  if (faults.length > 0) throw faults[0];
};

const answerTo = ({ id, selection, kill }: Ask, all: readonly ProcessFacts[]): Answer => {
  try {
    const found = selectFrom(all, selection);
    if (kill) killEach(found);
    return { id, found: found.length };
  } catch (error) {
    return { id, fault: textOf(error) };
  }
};

const waiting: Ask[] = [];

/** One look is new enough for all that were asked before it. */
const answerAll = (): void => {
  const asks = waiting.splice(0);
  let look: readonly ProcessFacts[] | { readonly fault: string };
  try {
    look = allProcesses();
  } catch (error) {
    look = { fault: textOf(error) };
  }
  for (const ask of asks)
    parentPort?.postMessage('fault' in look ? { id: ask.id, ...look } : answerTo(ask, look));
};

parentPort?.on('message', (ask: Ask) => {
  if (waiting.push(ask) === 1) setImmediate(answerAll);
});
