import { describe, expect, test } from 'vitest';
import type { PreparedRequirements } from '../../content/requirements/prepared.ts';
import { prepared } from '../../content/requirements/test-context.ts';
import { asksForBuild, mayBuild, sourcesFor } from './build-sources.ts';

const of = (text: string): Promise<PreparedRequirements> => prepared(text);

describe('what is built', () => {
  test.each([
    ['six', false],
    ['/usr/local/airflow/plugins/x-1-py3-none-any.whl', false],
    ['--no-binary :none:', false],
    ['/usr/local/airflow/plugins/x-1.tar.gz', true],
    ['x @ https://pypi.org/x-1-py3-none-any.whl', true],
    ['--no-binary six\nsix', true],
  ])('%j asks for it: %s', async (text, asks) => expect(asksForBuild(await of(text))).toBe(asks));

  test.each([
    ['six', true],
    ['--only-binary six\nsix', true],
    ['--only-binary :all:\nsix', false],
    ['--require-hashes', false],
  ])('%j allows it: %s', async (text, may) => expect(mayBuild(await of(text))).toBe(may));
});

describe('a build is told where packages come from', () => {
  const secret = 'https://kim:word@pypi.example.com/simple';

  test('as the machine says', async () => {
    const machine = { UV_DEFAULT_INDEX: 'https://pypi.example.com/simple', https_proxy: 'http://proxy:3128' };
    expect(sourcesFor(await of('six'), machine)).toEqual(machine);
  });

  test.each(['UV_DEFAULT_INDEX', 'UV_INDEX', 'UV_INDEX_URL', 'UV_EXTRA_INDEX_URL', 'HTTPS_PROXY'])(
    'never a password of the machine, in %s',
    async (name) => {
      const found = await of('six');
      expect(() => sourcesFor(found, { [name]: secret })).toThrow(`the password in ${name} of this machine`);
      expect(() => sourcesFor(found, { [name]: secret })).not.toThrow(/word@/);
    },
  );

  test('an index that the file names takes the place of the one of the machine', async () => {
    const found = await of('--index-url https://pypi.org/simple\nsix');
    const machine = { UV_DEFAULT_INDEX: secret, UV_INDEX_URL: secret };
    expect(sourcesFor(found, machine)).toEqual({ UV_DEFAULT_INDEX: 'https://pypi.org/simple' });
  });

  test('none where the file wants none', async () =>
    expect(sourcesFor(await of('--no-index'), { UV_INDEX: secret, UV_INDEX_URL: secret })).toEqual({}));
});
