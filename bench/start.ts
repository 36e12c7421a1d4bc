// How long a person waits for Airflow, as a ratio to what Airflow itself takes: `airflow db migrate` and a cold start
// of its components, in the same run, on the same installation. node bench/start.ts
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { airflow, command, ended, freePort, print, Running } from './harness.ts';

const data = mkdtempSync('/tmp/windsock-bench-');
// as root, other accounts work in it
chmodSync(data, 0o755);
let running: Running | undefined;
try {
  const folder = join(data, 'data');
  const ports = [await freePort(), await freePort()] as const;
  running = new Running(folder, ports);
  const first = await running.ready();
  const another = await running.another(folder);
  running.child.kill('SIGKILL');
  await once(running.child, 'exit');
  running = new Running(folder, ports);
  const adoption = await running.ready();
  await ended(running.child);
  running = new Running(folder, ports);
  const second = await running.ready();
  // its account would outlive the folder
  await command(folder, 'environment', 'delete', 'demo', '--wait');
  await ended(running.child);
  const alone = await airflow(folder);
  print('Airflow alone', alone, alone);
  print('First start, from an empty folder', first, alone);
  print('Second start', second, alone);
  print('Start after kill -9, Airflow taken over', adoption, alone);
  print('One more environment, from the call until AVAILABLE', another, alone);
} finally {
  if (running) await ended(running.child);
  rmSync(data, { recursive: true, force: true });
}
