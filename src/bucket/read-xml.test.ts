import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AwsError } from '../contract/errors.ts';
import { element } from '../lib/xml.ts';
import { mostXmlBytes, readXml } from './read-xml.ts';

const read = (text: string) => readXml(Buffer.from(text));
const codeOf = async (body: Uint8Array): Promise<string> => {
  const error = await readXml(body).then(
    () => undefined,
    (e: unknown) => e,
  );
  if (error !== undefined && !(error instanceof AwsError)) throw new Error('failed inside', { cause: error });
  return error ? `${error.httpStatus} ${error.code}` : 'read';
};

interface Tree {
  readonly name: string;
  readonly text: string;
  readonly children: readonly Tree[];
}
const name = fc.constantFrom('Key', 'a', 'Part', 'constructor', '__proto__');
// of the characters that XML 1.0 can hold
const text = fc
  .string({ unit: 'grapheme', maxLength: 20 })
  .map((s) => s.toWellFormed().replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, ''));
const tree: (depth?: number) => fc.Arbitrary<Tree> = fc.memo((depth) =>
  fc.record({
    ...{ name, text },
    children: depth > 1 ? fc.array(tree(depth - 1), { maxLength: 2 }) : fc.constant<readonly Tree[]>([]),
  }),
);
const write = (one: Tree): string =>
  element(one.name, { xml: element('t', one.text).slice(3, -4) + one.children.map(write).join('') });

describe('XML', () => {
  test('is read as it was written', async () => {
    const property = fc.asyncProperty(tree(8), async (one) => {
      expect(await read(write(one))).toEqual(one);
    });
    await fc.assert(property, { seed: 1, numRuns: 200 });
  });

  test('may have a declaration, a namespace, comments, CDATA, references and a byte order mark', async () => {
    const xml =
      '\ufeff<?xml version="1.0" encoding="UTF-8"?>\n<!-- a --><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Key>a&amp;b<![CDATA[<c>]]>&#xD;&#233;</Key><Quiet/></Delete>\n';
    const leaf = (leafName: string, leafText: string) => ({ name: leafName, text: leafText, children: [] });
    const children = [leaf('Key', 'a&b<c>\ré'), leaf('Quiet', '')];
    expect(await read(xml)).toEqual({ name: 'Delete', text: '', children });
  });

  test('is read across its pieces, while others get their turn', async () => {
    const key = 'é€😀'.repeat(2_500);
    const xml = Buffer.from(`<a>${`<Key>${key}</Key>`.repeat(80)}</a>`);
    expect(xml.length).toBeGreaterThan(1_500_000);
    let turns = 0;
    const other = setInterval(() => {
      turns += 1;
    }, 0);
    const { children } = await readXml(xml);
    clearInterval(other);
    expect(new Set(children.map((child) => child.text))).toEqual(new Set([key]));
    expect(turns).toBeGreaterThan(0);
  });

  test.each([
    ['nothing', ''],
    ['text', 'hello'],
    ['an open element', '<a><b></b>'],
    ['crossed elements', '<a><b></a></b>'],
    ['two elements', '<a/><b/>'],
    ['text behind the element', '<a/>b'],
    ['a document type', '<!DOCTYPE a><a/>'],
    ['an entity', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'],
    ['an external entity', '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'],
    ['an unknown entity', '<a>&nbsp;</a>'],
    ['the name of an inherited member', '<a>&constructor;</a>'],
    ['a character that XML cannot hold', '<a>&#0;</a>'],
    ['a bare ampersand', '<a>&</a>'],
    ['an attribute twice', '<a b="1" b="2"/>'],
    ['an attribute without quotes', '<a b=1/>'],
    ['a processing instruction', '<?php x?><a/>'],
    ['XML 1.1', '<?xml version="1.1"?><a/>'],
    ['another encoding', '<?xml version="1.0" encoding="ISO-8859-1"?><a/>'],
    ['nine levels', `${'<a>'.repeat(9)}${'</a>'.repeat(9)}`],
    ['more elements than are expected', `<a>${'<b/>'.repeat(100)}</a>`],
    ['too many bytes', `<a>${' '.repeat(mostXmlBytes)}</a>`],
  ])('%s is refused', async (_, xml) => {
    expect(await codeOf(Buffer.from(xml))).toBe('400 MalformedXML');
  });

  test('bytes that are no UTF-8 are refused', async () => {
    expect(await codeOf(Buffer.from('<a>\xe9</a>', 'latin1'))).toBe('400 MalformedXML');
    expect(await codeOf(Buffer.from('<a>é</a>').subarray(0, 4))).toBe('400 MalformedXML');
  });

  test('whatever comes is read, or refused in the same words', async () => {
    const pieces = ['<a', '>', '</a>', '<!', '[CDATA[', ']]>', '&', ';', '#x', '"', '=', ' ', '<?xml', '?>'];
    const words = fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 2 })));
    const property = fc.asyncProperty(words, async (some) => {
      expect(['read', '400 MalformedXML']).toContain(await codeOf(Buffer.from(some.join(''))));
    });
    await fc.assert(property, { seed: 2, numRuns: 500 });
  });
});
