import { expect, test } from 'vitest';
import { shownLine, withoutCredentials } from './shown.ts';

test.each([
  ['-i https://user:word@host/simple', '-i https://***@host/simple'],
  ['--index-url "https://user:word@host/simple"', '--index-url "https://***@host/simple"'],
  ['-i=https://token@host/', '-i=https://***@host/'],
  ['a @ https://user:wo/rd@host/a.whl', 'a @ https://***@host/a.whl'],
  ['a @ https://user:wo?rd@host/a.whl?x=1', 'a @ https://***@host/a.whl?***'],
  ['a @ https:user:word@host/a.whl', 'a @ https:***@host/a.whl'],
  ['a@https://host/a.whl', 'a@https://host/a.whl'],
  ['a@https://u:p@host/a.whl', 'a@https://***@host/a.whl'],
  ['a @ https://host/a.whl?X-Amz-Signature=abc', 'a @ https://host/a.whl?***'],
  ['git+https://host/x.git@v1#egg=x', 'git+https://host/x.git@v1#egg=x'],
  ['git+ssh://git@host/x.git', 'git+ssh://***@host/x.git'],
  ['-i https://user:my word@host/ next', '-i https://***@host/ next'],
  ['-i https://user:my word', '-i https://***'],
  ['-i https://host:8443/simple -f https://[::1]/x b', '-i https://host:8443/simple -f https://[::1]/x b'],
  ['requests[security]==2.31.0', 'requests[security]==2.31.0'],
])('%j is shown as %j', (text, shown) => {
  expect(withoutCredentials(text)).toBe(shown);
});

test('a shown line is short, and nothing in it is unseen', () => {
  expect(shownLine(`a\u202eb\u0007${'c'.repeat(500)}`)).toBe(`a b ${'c'.repeat(196)}…`);
});
