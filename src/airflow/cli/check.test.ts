import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allowedCommands } from './allow-list.ts';
import { checkCommand } from './check.ts';
import { commandForm } from './options.ts';

const versions = ['2.7.2', '2.8.1', '2.10.3', '3.0.6', '3.3.1'];
const ok = (version: string, line: string) => checkCommand(version, line.split(' ')).ok;
const reason = (version: string, words: string[]) => {
  const result = checkCommand(version, words);
  return result.ok ? '' : result.reason;
};

describe('commands that people use', () => {
  it.each([
    ['2.7.2', 'dags list'],
    ['2.7.2', 'dags list -o json'],
    ['2.7.2', 'dags list --output=json'],
    ['2.7.2', 'dags trigger my_dag -c {"k":"-v"} --run-id r1'],
    ['2.7.2', 'dags trigger --conf {} my_dag'],
    ['2.7.2', 'dags backfill d -s 2026-01-01 -e 2026-01-02 -y'],
    ['2.7.2', 'tasks run d t r --local'],
    ['2.7.2', 'roles add-perms Viewer -a can_read can_edit -r DAGs'],
    ['2.7.2', 'variables set depth -5'],
    ['2.7.2', 'tasks test d t 2026-01-01 --map-index -1'],
    ['2.7.2', 'version'],
    ['2.10.3', 'dags pause d -o json -y'],
    ['2.11.2', 'dags delete d -y'],
    ['2.7.2', 'dags list --help'],
    ['3.3.1', 'dags list -B dags-folder'],
    ['3.3.1', 'dags trigger d -l 2026-01-01'],
    ['3.3.1', 'backfill create --dag-id d --from-date 2026-01-01 --to-date 2026-01-02'],
    ['3.3.1', 'assets list'],
    ['3.3.1', 'db clean --clean-before-timestamp 2026-01-01 -y'],
  ])('%s allows %s', (version, line) => expect(ok(version, line)).toBe(true));
});

describe('commands that are not on the list', () => {
  it.each([
    ['2.7.2', 'assets list'],
    ['2.7.2', 'dags pause d -o json'],
    ['2.8.1', 'dags pause d -y'],
    ['2.10.3', 'dags test d --use-executor'],
    ['2.7.2', 'providers notifications'],
    ['3.3.1', 'dags backfill d'],
    ['3.3.1', 'tasks run d t r'],
    ['3.3.1', 'scheduler'],
    ['3.3.1', 'db shell'],
    ['3.3.1', 'users list'],
    ['3.3.1', 'config get-value core fernet_key'],
    ['3.3.1', 'variables export /tmp/x'],
    ['3.3.1', 'connections get aws_default'],
    ['3.3.1', 'info --file-io'],
    ['3.3.1', 'dags'],
    ['3.3.1', 'dags --help list'],
    ['3.3.1', '-h'],
    ['3.3.1', 'version extra'],
  ])('%s refuses %s', (version, line) => expect(ok(version, line)).toBe(false));

  it.each(versions)('%s takes each word for one word', (version) => {
    for (const words of [
      ['dags list'],
      ['dags list', '--imgcat'],
      ['dags list', '--subdir=/etc', '-o', 'json'],
      ['variables set', 'x', '--file'],
      ['dags', ' list'],
      ['dags ', 'list'],
      ['dags\tlist', '-S'],
      ['dags\u00a0list', 'x'],
      ['', 'dags', 'list'],
      ['dags', '', 'list'],
      ['dags', 'list\n'],
      ['DAGS', 'list'],
      ['d\u0430gs', 'list'],
      ['--verbose', 'dags', 'list'],
      ['--', 'dags', 'list'],
      ['dags', '--', 'list'],
      ['dags', 'list', '--'],
      ['dags', 'list', '-'],
      ['dags', 'list', '-v -S'],
      ['dags', 'list', '--out', 'json'],
      ['dags', 'list', '--outpu=json'],
      ['dags', 'list', '-ojson'],
      ['dags', 'list', '-vS/etc'],
      ['dags', 'list', '\u2014subdir'],
      ['dags', 'list', '-\u0661'],
      ['dags', 'list', '-1\n'],
      ['dags', 'list', '@/etc/passwd'],
      ['@/etc/passwd'],
      ['dags', 'list', '-o', 'a\0b'],
      ['dags.list'],
      ['version', 'x'],
      ['version --help'],
    ])
      expect(checkCommand(version, words).ok, JSON.stringify(words)).toBe(false);
  });

  it('names the command and what is allowed', () => {
    expect(reason('3.3.1', ['pools', 'list'])).toMatch(/"pools list".*Airflow 3\.3\.1.*dags delete\|list/);
  });
  it('says what to do with nothing and with a leading airflow', () => {
    expect(reason('3.3.1', [])).toMatch(/for instance: dags list/);
    expect(reason('3.3.1', ['airflow', 'version'])).toMatch(/Leave out/);
  });
});

describe('options', () => {
  it.each([
    'dags list -S /etc',
    'dags list -S/etc',
    'dags list --subdir /etc',
    'dags list --subdir=/etc',
    'dags list --sub=/etc',
    'dags list --subd /etc',
    'dags list -vS/etc',
    'dags list -vS /etc',
    'dags list -v=S/etc',
    'dags list -ojson',
    'dags list -o=json',
    'dags list --outp json',
    'dags list --verbose=1',
    'dags list -- x',
    'dags list -o',
    'dags list -o -S',
    'dags show d --save x.png',
    'dags show d --imgcat',
    'dags test d --save-dagrun x.png',
    'dags test d --show-dagrun',
    'dags backfill d --donot-pickle',
    'dags backfill d -x',
    'tasks run d t r --cfg-path /etc/passwd',
    'tasks run d t r -p 1',
    'tasks run d t r --interactive',
    'tasks run d t r --raw',
    'tasks test d t --env-vars {}',
    'tasks test d t -m',
    'tasks test d t --post-mortem',
  ])('2.7.2 refuses %s', (line) => expect(ok('2.7.2', line)).toBe(false));

  it('refuses a word in which argparse would see -S with a value', () => {
    expect(checkCommand('2.7.2', ['dags', 'list', '-S /etc']).ok).toBe(false);
  });
  it('refuses what names a file on Airflow 3', () => {
    expect(ok('3.3.1', 'dags test d -f /etc/passwd')).toBe(false);
    expect(ok('3.3.1', 'dags test d --dagfile-path=/etc/passwd')).toBe(false);
    expect(ok('3.3.1', 'dags list -S /etc')).toBe(false);
  });
  it('shows no value, which may be a secret', () => {
    const words = ['connections', 'add', 'x', '--conn-pass=hunter2', '--password', 'hunter3'];
    expect(reason('3.3.1', words)).toMatch(/--conn-pass is not available.*--conn-password/);
    expect(reason('3.3.1', words)).not.toMatch(/hunter/);
    expect(reason('3.3.1', ['hunter2!', 'hunter3!'])).not.toMatch(/hunter/);
  });
  it('bounds size and refuses NUL', () => {
    expect(checkCommand('3.3.1', ['variables', 'set', 'k', 'x'.repeat(1024 * 1024)]).ok).toBe(false);
    expect(checkCommand('3.3.1', ['variables', 'set', 'k', 'a\0b']).ok).toBe(false);
    expect(checkCommand('3.3.1', ['roles', 'create', ...Array(2000).fill('r')]).ok).toBe(false);
  });
});

it('has a reviewed form for every listed command of every version', () => {
  const missing = versions.flatMap((v) => allowedCommands(v).filter((c) => !commandForm(v, c)));
  expect(missing).toEqual([]);
});

describe('for any words', () => {
  const forbidden = [
    'subdir',
    'save',
    'imgcat',
    'save-dagrun',
    'show-dagrun',
    'imgcat-dagrun',
    'cfg-path',
    'pickle',
    'interactive',
    'env-vars',
    'post-mortem',
    'dagfile-path',
    'pid',
    'daemon',
    'stdout',
    'stderr',
    'log-file',
    'ship-dag',
    'raw',
  ];
  /** A beginning of a forbidden option, alone or with a joined value: what argparse would complete. */
  const abbreviation = fc
    .record({
      name: fc.constantFrom(...forbidden),
      cut: fc.nat(10),
      tail: fc.constantFrom('', '=/etc', '=', ' /etc'),
    })
    .map(({ name, cut, tail }) => `--${name.slice(0, Math.max(2, name.length - cut))}${tail}`);
  const clustered = fc
    .record({
      flags: fc.stringMatching(/^[vyoc]{0,3}$/),
      tail: fc.constantFrom('/etc', ' /etc', '=/etc', ''),
    })
    .map(({ flags, tail }) => `-${flags}S${tail}`);
  const bad = fc.oneof(abbreviation, clustered);
  const listed = fc
    .constantFrom(...versions)
    .chain((version) =>
      fc.record({ version: fc.constant(version), command: fc.constantFrom(...allowedCommands(version)) }),
    );

  it('an option that may name a file never passes, wherever it stands', () => {
    fc.assert(
      fc.property(
        listed,
        bad,
        fc.array(fc.constantFrom('x', '-v', '-o', '1')),
        fc.nat(),
        (c, word, rest, at) => {
          const words: string[] = [...rest];
          words.splice(at % (rest.length + 1), 0, word);
          // a full reviewed name (`--interactive` has none) would be no finding
          const own = commandForm(c.version, c.command)?.options;
          fc.pre(!own?.has(word.split('=')[0] ?? ''));
          expect(checkCommand(c.version, [...c.command.split(' '), ...words]).ok).toBe(false);
        },
      ),
    );
  });

  it('whatever passes starts with a listed command and holds only reviewed words with a dash', () => {
    const word = fc.oneof(fc.string(), bad, fc.constantFrom('-o', '-v', '--', '-', 'a'));
    fc.assert(
      fc.property(listed, fc.array(word, { maxLength: 6 }), ({ version, command }, rest) => {
        const words = [...command.split(' '), ...rest];
        if (!checkCommand(version, words).ok) return;
        const names = rest.filter((w) => w.startsWith('-') && !/^-(\d+|\d*\.\d+)$/.test(w));
        for (const w of names)
          expect(commandForm(version, command)?.options.has(w.split('=')[0] ?? '')).toBe(true);
      }),
    );
  });
});
