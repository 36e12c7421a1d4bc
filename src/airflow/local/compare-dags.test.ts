import { expect, test } from 'vitest';
import { dagsBefore, dagWarnings, strictFault } from './compare-dags.ts';
import { mostFaults } from './trial-result.ts';

const faults = { 'old.py': 'no old', 'new.py': 'no new' };
const before = { faults: { 'old.py': 'no old', 'other.py': 'no other' } };
const manyFaults = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`${n}.py`, 'no']));

test('a warning tells what worked from what did not', () => {
  expect(dagWarnings(faults, before)).toEqual([
    'A DAG cannot be imported, nor with the packages that run now: old.py: no old',
    'A DAG cannot be imported, and worked with the packages that run now: new.py: no new',
  ]);
});

test.each([[undefined], [{ unknown: 'it took too long' }]])('it says nothing of before for %o', (unknown) => {
  expect(dagWarnings(faults, unknown)).toEqual([
    'A DAG cannot be imported: old.py: no old',
    'A DAG cannot be imported: new.py: no new',
  ]);
});

test('a file whose name every object has is no fault of before', () => {
  expect(strictFault({ constructor: 'no' }, before)).toMatch(/^1 DAG file worked .*: constructor: no\./);
});

test('strict: only what worked before is a reason to fail', () => {
  expect(strictFault(faults, before)).toBe(
    '1 DAG file worked with the packages that run now and cannot be imported with the new ones: new.py: no new. Correct or remove them first: this server has --strict-dags',
  );
  expect(strictFault({ 'old.py': 'no old' }, before)).toBeUndefined();
  expect(strictFault(faults, undefined)).toBeUndefined();
});

test('strict: what could not be found out is a reason too, and is told as such', () => {
  const fault = strictFault(faults, { unknown: 'it took too long' });
  expect(fault).toMatch(/^2 DAG files cannot be imported with the new packages: old\.py: no old; new\.py/);
  expect(fault).toContain('could not be found out');
  expect(fault).toContain('it took too long');
  expect(strictFault({}, { unknown: 'it took too long' })).toBeUndefined();
});

test('strict: at most five files are named, in a text that LastUpdate has room for', () => {
  const long = Object.fromEntries(Array.from({ length: 7 }, (_, n) => [`${n}.py`, `${n} `.padEnd(500, 'x')]));
  const fault = strictFault(long, { unknown: 'x'.repeat(500) }) ?? '';
  expect(fault).toMatch(/4\.py.*; and 2 more\./);
  expect(fault).not.toContain('5.py');
  expect(fault.length).toBeLessThanOrEqual(1_024);
});

test('a trial that fails, or that has a full list, leaves it unknown', async () => {
  const failing = () => Promise.reject(new Error('it took too long'));
  expect(await dagsBefore(failing)).toEqual({ unknown: 'it took too long' });
  expect(await dagsBefore(async () => faults)).toEqual({ faults });
  expect(await dagsBefore(async () => manyFaults(mostFaults))).toHaveProperty('unknown');
});
