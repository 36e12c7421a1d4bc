import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from './python.ts';
import { repository } from './tools.ts';

const goVersion = (): string | undefined => {
  try {
    return execFileSync('go', ['version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
};

/** Clients in Go are tried only where there is one. */
export const hasGo = goVersion() !== undefined;

/** Builds test/clients/go; what was built once is quick. */
export const buildGoClient = async (): Promise<string> => {
  const folder = join(repository, '.cache', 'go');
  mkdirSync(folder, { recursive: true });
  const program = join(folder, 'mwaa');
  const env = { ...(process.env as Record<string, string>), GOFLAGS: '-mod=readonly -buildvcs=false' };
  const cwd = join(repository, 'test', 'clients', 'go');
  const built = await runProgram('go', ['build', '-o', program, '.'], { env, cwd, seconds: 800 });
  if (built.code !== 0) throw new Error(`go build ended with ${built.code}:\n${built.stderr}`);
  return program;
};
