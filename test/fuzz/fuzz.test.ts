// The properties that unit tests try for half a second each, for longer: policies and signatures of whatever bytes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repository } from '../harness/tools.ts';

const seconds =
  process.env['WINDSOCK_FUZZ_SECONDS'] ?? (process.env['WINDSOCK_TEST_FULL'] === '1' ? '60' : '3');

/** Variables that tell a program that it runs within Vitest are left out. */
const outerEnvironment = () =>
  Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_OPTIONS$|TEST$)/.test(name)),
  );

test.each(['src/policy/fuzz.test.ts', 'src/identity/sigv4/fuzz.test.ts'])(
  `%s, ${seconds} s a property`,
  { timeout: Number(seconds) * 6_000 + 120_000 },
  async (file) => {
    const vitest = join(repository, 'node_modules/vitest/vitest.mjs');
    const child = spawn(process.execPath, [vitest, 'run', '--project', 'unit', file], {
      ...{ cwd: repository, stdio: ['ignore', 'pipe', 'pipe'], timeout: Number(seconds) * 6_000 + 100_000 },
      env: { ...outerEnvironment(), WINDSOCK_FUZZ_SECONDS: seconds, NO_COLOR: '1' },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (data: Buffer) => {
        output += data.toString();
      });
    const [code] = await once(child, 'close');
    expect(code, output).toBe(0);
    expect(output).toMatch(/Tests {2}\d+ passed/);
  },
);
