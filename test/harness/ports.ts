import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { connect, createServer } from 'node:net';

/** Below the ports that the system gives out by itself. */
const first = 20_000;
const blocks = 1_000;
const size = 10;
const claims = '/tmp/windsock-test-ports';

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** Takes away the claim of a run that has ended; one of another account stays. */
const dropDead = (file: string): void => {
  try {
    const owner = Number(readFileSync(file, 'utf8'));
    if (owner > 0 && !isAlive(owner)) rmSync(file, { force: true });
  } catch {
    // gone already, or not ours
  }
};

/** Every account of the machine may claim ports, whatever the umask of the first. */
const makeClaims = (): void => {
  try {
    mkdirSync(claims);
    chmodSync(claims, 0o1777);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
};

const claim = (file: string): boolean => {
  try {
    const handle = openSync(file, 'wx', 0o644);
    writeSync(handle, String(process.pid));
    closeSync(handle);
    return true;
  } catch {
    dropDead(file);
    return false;
  }
};

const isFree = (port: number, host: string): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });

/** True when something accepts connections there. */
export const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: 'localhost', autoSelectFamily: true });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

export interface Ports {
  readonly api: number;
  readonly door: number;
  readonly all: readonly number[];
  release(): void;
}

/** Ten free ports in a row that no other test run on this machine takes. */
export const claimPorts = async (): Promise<Ports> => {
  makeClaims();
  for (let tries = 0; tries < 200; tries += 1) {
    const base = first + Math.floor(Math.random() * blocks) * size;
    const file = `${claims}/${base}`;
    if (!claim(file)) continue;
    const all = Array.from({ length: size }, (_, i) => base + i);
    const free = await Promise.all(all.flatMap((port) => [isFree(port, '127.0.0.1'), isFree(port, '::1')]));
    if (free.every(Boolean))
      return { api: base, door: base + 1, all, release: () => rmSync(file, { force: true }) };
    rmSync(file, { force: true });
  }
  throw new Error('No block of ten free ports was found');
};
