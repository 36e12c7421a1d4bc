import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Place } from './server.ts';

/** Tells workers to end one by one, so slowly that each has ended before the next is told. */
const slowEnd = `
import os, threading, time
from airflow.executors.local_executor import LocalExecutor

executor = LocalExecutor(parallelism=6)
executor.start()
time.sleep(1)
put = executor.activity_queue.put
executor.activity_queue.put = lambda message: (put(message), time.sleep(0.2))
end = threading.Thread(target=executor.end, daemon=True)
end.start()
end.join(20)
for worker in executor.workers.values() if end.is_alive() else ():
    worker.kill()
print("hangs" if end.is_alive() else "ended", flush=True)
os._exit(0)
`;

const folderIn = (parent: string, start: string): string => {
  const name = readdirSync(parent).find(
    (one) => one.startsWith(start) && !one.endsWith('.tmp') && !one.endsWith('.json'),
  );
  if (name === undefined) throw new Error(`${parent} has no ${start}`);
  return join(parent, name);
};

/** `ended` when every worker of the executor of that Airflow 3, as the server runs it, ends; else `hangs`. */
export const endOfExecutor = async (place: Place, version: string): Promise<string> => {
  const home = mkdtempSync(join(tmpdir(), 'windsock-executor-'));
  try {
    const python = join(folderIn(join(place.data, 'bases'), `airflow-${version}-`), 'bin', 'python');
    const child = spawn(python, ['-c', slowEnd], {
      env: {
        AIRFLOW_HOME: home,
        MWAA_AIRFLOW_COMPONENT: 'scheduler',
        PYTHONPATH: folderIn(join(place.data, 'programs'), 'shim-'),
      },
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 90_000,
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await once(child, 'close');
    return output.trim().split('\n').at(-1) ?? '';
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
};
