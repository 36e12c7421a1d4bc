import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonParts, objectText, RawJson, scanJson } from './json-scan.ts';
import { anyText } from './test-fuzz.ts';

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

const nearlyJson = fc
  .tuple(
    fc.json({ maxDepth: 4 }),
    fc.nat(),
    fc.nat(3),
    fc.constantFrom('', '"', ',', ']', '{', '\\', '0', '.', 'e', '\u0001', ' '),
  )
  .map(([text, at, length, by]) => {
    const from = at % (text.length + 1);
    return text.slice(0, from) + by + text.slice(from + length);
  });

describe('a text', () => {
  test('is JSON when JSON.parse reads it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(nearlyJson, fc.json(), fc.string()), async (text) => {
        expect([text, (await scanJson(text)) !== undefined]).toEqual([text, isJson(text)]);
      }),
      { numRuns: 1_000 },
    );
  });

  test('gives the members of an object as they were written', async () => {
    const object = fc.dictionary(anyText({ maxLength: 5 }), fc.jsonValue({ maxDepth: 1 }), {
      maxKeys: 5,
    });
    await fc.assert(
      fc.asyncProperty(object, fc.constantFrom(0, 1, 3), async (value, blanks) => {
        const text = JSON.stringify(value, undefined, blanks);
        const members = await scanJson(text, new Set(Object.keys(value)));
        const read = Object.fromEntries([...(members ?? [])].map(([name, text]) => [name, JSON.parse(text)]));
        expect(read).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

test.each([
  [' { "a" : [1.0, {"b":"}"}] , "a":2 } ', [['a', '2']]],
  ['{"\\u0061":1e400}', [['a', '1e400']]],
  ['[{"a":1}]', []],
  ['', undefined],
  ['{"a":1}{', undefined],
  ['[1,]', undefined],
  ['01', undefined],
  ['"\\x"', undefined],
  [`${'['.repeat(1_000)}${']'.repeat(1_000)}`, []],
  [`${'['.repeat(1_001)}${']'.repeat(1_001)}`, undefined],
])('%s', async (text, members) => {
  const found = await scanJson(text, new Set(['a']));
  expect(found && [...found]).toEqual(members);
});

test('members that nobody asks for are not kept', async () => {
  const found = await scanJson('{"a":1,"b":2,"\\u0063":3,"__proto__":4}', new Set(['b', 'c']));
  expect([...(found ?? [])]).toEqual([
    ['b', '2'],
    ['c', '3'],
  ]);
});

test('others have their turn while a large text is read', async () => {
  let turns = 0;
  let isDone = false;
  const count = () => {
    turns += 1;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  await scanJson(`[${'1.0,'.repeat(1_500_000)}1]`);
  isDone = true;
  expect(turns).toBeGreaterThan(3);
});

test('parts are names and values, not what stands in texts', () => {
  expect(jsonParts('{"a,b\\",:[":[1,2,{}]}')).toBe(6);
});

test('raw members stay as they are', () => {
  expect(objectText({ a: 1, b: new RawJson('[1.0]') })).toBe('{"a":1,"b":[1.0]}');
});
