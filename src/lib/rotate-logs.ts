import { copyFileSync, existsSync, readdirSync, renameSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';

const largest = 10 * 1024 * 1024;
const kept = 3;

const rotate = (file: string): void => {
  for (let number = kept - 1; number >= 1; number -= 1) {
    if (existsSync(`${file}.${number}`)) renameSync(`${file}.${number}`, `${file}.${number + 1}`);
  }
  copyFileSync(file, `${file}.1`);
  truncateSync(file, 0);
};

/** Rotates by copy and truncate what grew past 10 MiB: the processes keep their open file (O_APPEND). */
export const rotateLogs = (folder: string): void => {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder).filter((n) => n.endsWith('.log'))) {
    const file = join(folder, name);
    if (statSync(file).size > largest) rotate(file);
  }
};
