import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readSettings, SettingsInvalid, settingsHelp } from './read.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'settings-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const faultsOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof SettingsInvalid) return error.publicText;
    throw error;
  }
  return '';
};

describe('readSettings', () => {
  test('without anything it gives the defaults', () => {
    const settings = readSettings([], { HOME: '/home/ann' }, false);
    expect(settings).toMatchObject({
      port: 7400,
      doorPort: 7443,
      environment: 'demo',
      demo: true,
      region: 'us-east-1',
      data: '/home/ann/.local/share/windsock',
    });
    expect(readSettings([], {}, true).data).toBe('/var/lib/windsock');
    expect(readSettings([], { XDG_DATA_HOME: '/d' }, false).data).toBe('/d/windsock');
  });

  test('the command line beats the environment, which beats the file', () => {
    writeFileSync(
      join(folder, 'settings.json'),
      JSON.stringify({ port: 1001, doorPort: 1002, environment: 'file' }),
    );
    const settings = readSettings(
      ['--data', folder, '--port', '3001'],
      { WINDSOCK_PORT: '2001', WINDSOCK_DOOR_PORT: '2002' },
      false,
    );
    expect(settings).toMatchObject({ port: 3001, doorPort: 2002, environment: 'file', data: folder });
  });

  test('--no-demo and its variable', () => {
    expect(readSettings(['--no-demo'], {}, false).demo).toBe(false);
    expect(readSettings([], { WINDSOCK_DEMO: 'false' }, false).demo).toBe(false);
  });

  test('every fault is reported at once, with where it stands', () => {
    writeFileSync(join(folder, 'settings.json'), JSON.stringify({ ports: 1, taskLogDays: 0 }));
    const text = faultsOf(() =>
      readSettings(
        ['--data', folder, '--port', '99999', '--environment', '1x'],
        { WINDSOCK_REGION: 'nowhere' },
        false,
      ),
    );
    expect(text).toContain('--port must be from 1 to 65535');
    expect(text).toContain('--environment must start with a letter');
    expect(text).toContain('WINDSOCK_REGION must look like us-east-1');
    expect(text).toContain('there is no setting "ports"');
    expect(text).toContain('taskLogDays must be at least 1');
  });

  test('an unknown flag, a relative folder and a file that is no JSON are faults', () => {
    expect(faultsOf(() => readSettings(['--prot', '1'], {}, false))).toContain('--prot');
    expect(faultsOf(() => readSettings(['--data', 'here'], {}, false))).toContain(
      '--data must be an absolute path',
    );
    writeFileSync(join(folder, 'settings.json'), '{');
    expect(faultsOf(() => readSettings(['--data', folder], {}, false))).toContain('cannot be read');
  });

  test('credentials of AWS are for DAGs that work with AWS', () => {
    const whose = (...args: string[]) =>
      faultsOf(() => readSettings(['--aws-credentials', ...args], {}, true));
    expect(whose('role')).toContain('add --aws-endpoints aws');
    expect(whose('role', '--aws-endpoints', 'aws')).toBe('');
    expect(whose('profile:team a', '--aws-endpoints', 'aws')).toBe('');
    for (const fault of ['profile:', 'everything', 'Role'])
      expect(whose(fault, '--aws-endpoints', 'aws')).toContain('none, role, machine or profile:NAME');
  });

  test('an unknown option hides no other fault', () => {
    const text = faultsOf(() =>
      readSettings(['--port', '0', '--nonsense', '--no-port', 'word', '--dags', '--no-demo'], {}, false),
    );
    for (const fault of [
      '--port must be from',
      'no option --nonsense',
      '--dags needs a value',
      'no option --no-port',
      '"word" is no option',
    ])
      expect(text).toContain(fault);
  });

  test('a secret setting is not taken from the command line, and help does not offer it', () => {
    expect(faultsOf(() => readSettings(['--database-url', 'postgresql://u:p@h/d'], {}, false))).toContain(
      '--database-url',
    );
    expect(settingsHelp()).not.toContain('--database-url');
    expect(readSettings([], { WINDSOCK_DATABASE_URL: 'postgresql://u:p@h/d' }, false).databaseUrl).toBe(
      'postgresql://u:p@h/d',
    );
    expect(
      faultsOf(() => readSettings([], { WINDSOCK_DATABASE_URL: 'mysql://u:secretword@h/d' }, false)),
    ).not.toContain('secretword');
  });
});
