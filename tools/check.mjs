// `npm run check`: everything a machine can see without running the product. Every check runs, also after one
// has failed; each is shown with its time.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = (name) => join(root, 'node_modules', '.bin', name);
const tool = (name, ...args) => [process.execPath, [join(root, 'tools', name), ...args]];
const npm = process.env.npm_execpath;

const checks = [
  ['types', bin('tsc'), ['-p', root]],
  ['style', bin('biome'), ['check', '--error-on-warnings']],
  ['unused code', bin('knip'), ['--no-progress', '--treat-config-hints-as-errors']],
  ['rooms', bin('vitest'), ['run', '--project', 'unit', 'tools/rooms.test.ts']],
  ['reference pages', ...tool('generate-reference.ts', '--check')],
  ['links', ...tool('documents.ts')],
  ['dependencies', ...tool('dependencies.ts')],
  ['lock file', ...(npm ? [process.execPath, [npm]] : ['npm', []])],
];
checks.at(-1)[2].push('ci', '--dry-run', '--ignore-scripts', '--no-audit', '--no-fund');

/** Runs one check and gives what it printed with its exit code. */
const run = (program, args) =>
  new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], timeout: 300_000 });
    const output = [];
    child.stdout.on('data', (data) => output.push(data));
    child.stderr.on('data', (data) => output.push(data));
    child.on('error', (error) => resolve({ code: 1, output: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, output: Buffer.concat(output).toString() }));
  });

let failed = 0;
for (const [name, program, args] of checks) {
  const begun = performance.now();
  const { code, output } = await run(program, args);
  const took = `${((performance.now() - begun) / 1000).toFixed(1)} s`;
  console.log(`${code === 0 ? '✓' : '✗'} ${name.padEnd(16)} ${took.padStart(7)}`);
  if (code === 0) continue;
  failed += 1;
  console.log(output.trimEnd());
}
console.log(failed === 0 ? 'Everything is in order.' : `${failed} of ${checks.length} checks failed.`);
process.exitCode = failed === 0 ? 0 : 1;
