import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyText } from './test-fuzz.ts';
import { BadWords, splitWords } from './words.ts';

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
const doubleQuote = (word: string): string => `"${word.replace(/["\\$`]/g, '\\$&')}"`;
const word = anyText().filter((s) => !s.includes('\0'));

describe('splitWords', () => {
  it.each([
    ['dags list', ['dags', 'list']],
    ['  dags\ttrigger \n my_dag ', ['dags', 'trigger', 'my_dag']],
    [`dags trigger d -c '{"k": "v w"}'`, ['dags', 'trigger', 'd', '-c', '{"k": "v w"}']],
    [`a"b c"'d e'f`, ['ab cd ef']],
    [`"" ''`, ['', '']],
    ['a\\ b \\" \\\\', ['a b', '"', '\\']],
    ['"a\\n\\"\\$x"', ['a\\n"$x']],
    [
      'dags list; id | cat > /x && $(id) `id` $IFS *',
      ['dags', 'list;', 'id', '|', 'cat', '>', '/x', '&&', '$(id)', '`id`', '$IFS', '*'],
    ],
    ['', []],
  ])('%j', (text, words) => {
    expect(splitWords(text)).toEqual(words);
  });

  it.each([`a 'b`, `a "b`, `a "b\\"`, 'a\\', 'a\0b'])('refuses %j', (text) => {
    expect(() => splitWords(text)).toThrow(BadWords);
  });

  it('takes a megabyte, whatever it is made of', () => {
    const half = 512 * 1024;
    const cases: readonly (readonly [string, string])[] = [
      ['\\a'.repeat(half), 'a'.repeat(half)],
      ['""'.repeat(half), ''],
      ["''".repeat(half), ''],
      [`"${'\\"'.repeat(half)}"`, '"'.repeat(half)],
      [`"${'a'.repeat(2 * half)}"`, 'a'.repeat(2 * half)],
      ['é'.repeat(half), 'é'.repeat(half)],
    ];
    for (const [text, word] of cases) expect(splitWords(text)[0] === word, text.slice(0, 4)).toBe(true);
    expect(splitWords('\u00a0'.repeat(half))).toEqual([]);
    expect(() => splitWords(`"${'a\\"'.repeat(half)}`)).toThrow(BadWords);
  });

  it('bounds the number of words', () => {
    expect(splitWords('a '.repeat(1000))).toHaveLength(1000);
    expect(() => splitWords('a '.repeat(1001))).toThrow(/more than 1000/);
  });

  it('gives back any words that were quoted, in either way', () => {
    fc.assert(
      fc.property(fc.array(word), (words) => {
        expect(splitWords(words.map(quote).join(' '))).toEqual(words);
        expect(splitWords(words.map(doubleQuote).join('\n'))).toEqual(words);
      }),
    );
  });

  it('never does anything but give words or refuse', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', ' ', "'", '"', '\\', '\n', '$') }), (text) => {
        try {
          expect(splitWords(text).every((w) => typeof w === 'string')).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(BadWords);
        }
      }),
    );
  });
});
