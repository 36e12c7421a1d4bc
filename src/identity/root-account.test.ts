import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadOrCreateRootAccount } from './root-account.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'windsock-keys-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('makes the account once, for its owner alone, and finds it again', () => {
  const file = join(folder, 'root.json');
  const made = loadOrCreateRootAccount(file);
  expect(made.accountId).toMatch(/^[1-9]\d{11}$/);
  expect(made.accessKeyId).toMatch(/^AKIA[A-Z2-7]{16}$/);
  expect(made.secretAccessKey).toMatch(/^[A-Za-z0-9+/]{40}$/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['root.json']);
  chmodSync(file, 0o644);
  expect(loadOrCreateRootAccount(file)).toEqual(made);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('two accounts differ', () => {
  const [a, b] = ['a', 'b'].map((name) => loadOrCreateRootAccount(join(folder, name)));
  expect(a?.secretAccessKey).not.toBe(b?.secretAccessKey);
  expect(a?.accountId).not.toBe(b?.accountId);
});

test.each(['', '{"accountId":"1"}', 'null'])(
  'never replaces a file that holds something else: %j',
  (text) => {
    const file = join(folder, 'root.json');
    writeFileSync(file, text);
    expect(() => loadOrCreateRootAccount(file)).toThrow(/does not hold a root account/);
  },
);
