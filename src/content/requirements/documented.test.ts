// docs/packages.md says what becomes of lines as people write them: here each of them is tried.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { RequirementsRefused } from './refused.ts';
import { contextWith, prepared } from './test-context.ts';

const page = readFileSync(new URL('../../../docs/packages.md', import.meta.url), 'utf8');
const table = /<!-- tested: .*? -->([\s\S]*?)<!-- end of tested -->/.exec(page)?.[1] ?? '';

/** The line of a requirements.txt, and the first word of what is said to become of it. */
const rows = [...table.matchAll(/^\| `(.+?)` \| .+? \| (\w+).* \|$/gm)].map(([, line = '', said = '']) => ({
  line,
  said,
}));

/** PyPI, and one that is named by --package-hosts. */
const hosts = ['pypi.org', 'files.pythonhosted.org', 'pypi.example.com'];

const context = contextWith({
  allowsHost: (host) => hosts.includes(host),
  variables: { AIRFLOW__FOO__USER: 'kim', AIRFLOW__FOO__PASS: 'word' },
  files: {
    '/e/dags/more.txt': 'six\n',
    '/e/dags/constraints.txt': 'six==1.16.0\n',
  },
});

const becomes = async (line: string): Promise<string> => {
  const found = await prepared(`${line}\n`, context).catch((error: unknown) => error);
  if (found instanceof RequirementsRefused) return 'Refused';
  if (found instanceof Error) throw found;
  const given = found as Awaited<ReturnType<typeof prepared>>;
  return given.dropped.length > 0 ? 'Ignored' : 'Taken';
};

describe('docs/packages.md', () => {
  test('has its table', () => expect(rows.length).toBeGreaterThanOrEqual(20));

  test.each(rows)('$line: $said', async ({ line, said }) => expect(await becomes(line)).toBe(said));

  test('says all that it says of a line in one of three words', () =>
    expect(rows.filter(({ said }) => !/^(Taken|Ignored|Refused)$/.test(said))).toEqual([]));
});
