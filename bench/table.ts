// How bench/gateway.ts shows what it measured.
import type { Result } from './load.ts';

export interface Measured extends Result {
  /** Bytes. */
  readonly memory: number;
}

const columns = [
  '/s',
  'MB/s',
  'of nginx',
  'of auth_request',
  'p50 ms',
  'added',
  'p99 ms',
  'CPU µs',
  'RAM MB',
];

const cells = (r: Measured, all: ReadonlyMap<string, Measured>): readonly string[] => {
  const of = (name: string) => (r.perSecond / (all.get(name) ?? r).perSecond).toFixed(2);
  const added = r.median - (all.get('upstream') ?? r).median;
  return [
    ...[r.perSecond.toFixed(0), r.megabytes.toFixed(0), of('nginx'), of('auth_request')],
    ...[r.median.toFixed(2), added.toFixed(2), r.p99.toFixed(2)],
    ...[r.cpu.toFixed(0), (r.memory / 1e6).toFixed(0)],
  ];
};

const line = (name: string, row: readonly string[]): string =>
  [`  ${name.padEnd(12)}`, ...row.map((cell, i) => cell.padStart(Math.max(7, columns[i]?.length ?? 0)))].join(
    '  ',
  );

/** Prints a line for each of those that were measured together. */
export const printTable = (title: string, all: ReadonlyMap<string, Measured>): void => {
  console.log(title);
  console.log(line('', columns));
  for (const [name, r] of all) console.log(line(name, cells(r, all)));
};
