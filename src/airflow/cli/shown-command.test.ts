import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allowedCommands } from './allow-list.ts';
import { commandForm } from './options.ts';
import { shownCommand } from './shown-command.ts';

test.each([
  ['dags trigger my_dag --run-id r1 -c {"p":"s3cret"}', 'dags trigger my_dag --run-id r1 -c …'],
  ['dags list-runs -d my_dag --state=failed -o json', 'dags list-runs -d my_dag --state=failed -o json'],
  ['connections add db --conn-uri=pg://u:s3cret@h', 'connections add db --conn-uri=…'],
  [
    'connections add db --conn-type http --conn-password s3cret',
    'connections add db --conn-type http --conn-password …',
  ],
  ['connections add db --conn-password -s3cret', 'connections add db --conn-password …'],
  ['variables set token s3cret', 'variables set token …'],
  ['variables set -j token {"s3cret":1}', 'variables set -j token …'],
  ['variables get token -d s3cret', 'variables get token -d …'],
  ['variables set token s3cret more', 'variables set token … …'],
  ['tasks clear d -s 2026-01-01 -y', 'tasks clear d -s 2026-01-01 -y'],
  [
    'roles add-perms Viewer -a can_read can_edit -r DAGs',
    'roles add-perms Viewer -a can_read can_edit -r DAGs',
  ],
  ['version', 'version'],
  ['version s3cret', 'version …'],
  ['users create --password s3cret', 'users create … …'],
  ['s3cret=x', '…'],
  ['dags', 'dags'],
])('%s', (line, shown) => {
  expect(shownCommand('2.7.2', line.split(' '))).toBe(shown);
  expect(shown).not.toContain('s3cret');
});

test('a long word and a long command are cut; a blank is quoted', () => {
  expect(shownCommand('2.7.2', ['dags', 'pause', 'a b'])).toBe('dags pause "a b"');
  expect(shownCommand('2.7.2', ['dags', 'pause', 'x'.repeat(5_000)])).toBe(`dags pause ${'x'.repeat(100)}…`);
  expect(shownCommand('2.7.2', ['roles', 'create', ...Array(900).fill('abcdef')]).length).toBeLessThan(1_010);
});

test('whatever follows an option that is not known to be harmless is not shown', () => {
  const secret = 'Zq9secret';
  const commands = ['2.7.2', '3.3.1'].flatMap((version) =>
    allowedCommands(version).map((name) => ({ version, name })),
  );
  const risky =
    /^--(conn-(?!type)|conf|default|description|task-params|mark-success-pattern|dag-run-conf|password)/;
  for (const { version, name } of commands)
    for (const [spelling, long] of commandForm(version, name)?.longNames ?? []) {
      if (!risky.test(long)) continue;
      for (const words of [[spelling, secret], [`${spelling}=${secret}`], ['x', spelling, secret]])
        expect(shownCommand(version, [...name.split(' '), ...words]), `${name} ${words}`).not.toContain(
          secret,
        );
    }
});

test('never throws, never longer than it may be', () => {
  const names = fc.constantFrom(...allowedCommands('3.3.1'));
  fc.assert(
    fc.property(names, fc.array(fc.string(), { maxLength: 12 }), (name, words) => {
      expect(shownCommand('3.3.1', [...name.split(' '), ...words]).length).toBeLessThan(1_100);
    }),
  );
});
