import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AwsError } from '../../contract/errors.ts';
import { parseExact } from '../../lib/exact-json.ts';
import { RawJson } from '../../lib/json-scan.ts';
import { restApiBody } from './body.ts';
import { restApiQuery } from './query.ts';

const refusal = (work: () => unknown): string => {
  try {
    work();
    return 'accepted';
  } catch (error) {
    return error instanceof AwsError ? `${error.code}: ${error.publicText}` : String(error);
  }
};

describe('the query', () => {
  test.each([
    ['{}', ''],
    [
      '{"limit":5,"only_active":false,"order_by":"-start_date"}',
      'limit=5&only_active=false&order_by=-start_date',
    ],
    ['{"tags":["a","b c",1,true]}', 'tags=a&tags=b%20c&tags=1&tags=true'],
    ['{"none":null,"empty":"","list":[]}', 'empty='],
    ['{"id":12345678901234567890,"half":1.50}', 'id=12345678901234567890&half=1.50'],
    ['{"a&b=c#?/":"x&y=z#é+ \\r\\n"}', 'a%26b%3Dc%23%3F%2F=x%26y%3Dz%23%C3%A9%2B%20%0D%0A'],
    ['{"__proto__":"x"}', '__proto__=x'],
  ])('%s is %s', (given, expected) => {
    expect(restApiQuery(parseExact(given))).toBe(expected);
  });

  test('is nothing where nothing is given', () => expect(restApiQuery(undefined)).toBe(''));

  test.each([
    [['a=b'], 'It must be an object.'],
    ['a=b', 'It must be an object.'],
    [parseExact('1.0'), 'It must be an object.'],
    [{ a: { b: 1 } }, 'a must be text, a number, true, false, or a list of those.'],
    [{ a: [['b']] }, 'a must be text, a number, true, false, or a list of those.'],
    [{ a: [null] }, 'a must be text, a number, true, false, or a list of those.'],
    [{ a: '\ud800' }, 'It holds half of a surrogate pair.'],
  ])('%j is refused', (given, why) => {
    expect(refusal(() => restApiQuery(given))).toBe(
      `ValidationException: Invalid request provided: QueryParameters is not valid. ${why}`,
    );
  });

  test('whatever is given, exactly that is read, and nothing else', () => {
    const text = fc.string({ unit: 'grapheme' }).filter((s) => s.isWellFormed());
    fc.assert(
      fc.property(fc.dictionary(text, fc.oneof(text, fc.array(text, { minLength: 1 }))), (given) => {
        const sent = restApiQuery(given);
        expect(sent).toMatch(/^[!-~]*$/);
        expect(sent).not.toMatch(/[#?/]/);
        const read = [...new URLSearchParams(sent)];
        expect(read).toEqual(Object.entries(given).flatMap(([k, v]) => [v].flat().map((one) => [k, one])));
      }),
    );
  });
});

const textOf = (value: unknown): string => JSON.stringify(value);

describe('the body', () => {
  test.each([
    ['GET', undefined, undefined],
    ['GET', {}, undefined],
    ['DELETE', {}, undefined],
    ['DELETE', { a: 1 }, '{"a":1}'],
    ['POST', {}, '{}'],
    ['POST', undefined, undefined],
    ['PATCH', [1, 'two'], '[1,"two"]'],
    ['PUT', 'text', '"text"'],
    ['POST', false, 'false'],
    ['POST', parseExact('{"conf":{"id":12345678901234567890}}'), '{"conf":{"id":12345678901234567890}}'],
    ['DELETE', parseExact('1.0'), '1.0'],
  ])('%s %j', (method, given, expected) => {
    expect(restApiBody(method, given === undefined ? undefined : new RawJson(textOf(given)))).toBe(expected);
  });

  test.each([[{ a: 1 }], [[]], ['']])('GET %j is refused', (given) => {
    expect(refusal(() => restApiBody('GET', new RawJson(textOf(given))))).toBe(
      'ValidationException: Invalid request provided: a GET has no Body. Leave it out or send {}.',
    );
  });
});
