// Whatever stands in a requirements.txt: it is taken or refused with an error of its own, at once, and nothing that could
// be a secret is in what people see.
import fc from 'fast-check';
import { expect, inject, test } from 'vitest';
import { anyText, fuzzer, takesLong } from '../../lib/test-fuzz.ts';
import type { PreparedRequirements } from './prepared.ts';
import { RequirementsRefused } from './refused.ts';
import { contextWith, prepared } from './test-context.ts';

const { fuzz, deadline } = fuzzer(inject('fuzzSeconds'));

const context = contextWith({
  variables: { WORD: 'S3CRETvalue', NAME: 'six', SLY: '1 \n--index-url https://S3CRET@x/' },
  files: { '/e/dags/a.txt': '-r b.txt\nattrs', '/e/dags/b.txt': 'idna\n-r a.txt' },
});

/** What came of it: a result or a refusal; any other error goes through. */
const outcome = (text: string | Uint8Array): Promise<PreparedRequirements | RequirementsRefused> =>
  prepared(text, context).catch((error: unknown) => {
    if (error instanceof RequirementsRefused) return error;
    throw error;
  });

/** All that is said to people. */
const said = (found: PreparedRequirements | RequirementsRefused): string => {
  if (found instanceof RequirementsRefused) return JSON.stringify([found.message, found]);
  const { dropped, requirements, constraints, findLinks, extraIndexes, index } = found;
  const lines = [requirements, ...constraints].flatMap((text) => text.lines);
  const sources = [...lines, ...findLinks, ...extraIndexes, ...(index ? [index] : [])];
  return JSON.stringify([dropped, sources.map(({ source }) => source)]);
};

const pieces = [
  ...[
    'six',
    '==',
    '>=',
    '1.0',
    ',',
    ' ',
    '  ',
    '\t',
    '\n',
    '\r\n',
    '\\\n',
    ';',
    '[',
    ']',
    '(',
    ')',
    '@',
    ' @ ',
    '#',
    ' #',
  ],
  ...[
    '"',
    "'",
    '\\',
    '-',
    '--',
    '=',
    '-r ',
    '-c ',
    '--constraint ',
    '-i ',
    '-e ',
    '--hash=sha256:',
    'a'.repeat(64),
    '.',
  ],
  ...[
    '/usr/local/airflow/dags/',
    'a.txt',
    '../',
    '/',
    'https://',
    'http:',
    'file:',
    'git+',
    'pypi.org',
    '/x-1-py3-none-any.whl',
  ],
  ...[
    'python_version',
    ' < ',
    '"3.8"',
    ' and ',
    '\u2028',
    '\u00e9',
    '\0',
    '?',
    ':',
    '%',
    '{',
    '}',
    '--pre',
    ':all:',
  ],
  ...[`\${NAME}`, `\${WORD}`, `\${SLY}`, `\${NONE}`, `\${`],
];
const likeRequirements = fc
  .array(fc.constantFrom(...pieces), { maxLength: 40 })
  .map((parts) => parts.join(''));

/** A line as uv gets it: letters of a small alphabet, one line, and no word that begins an option but hashes. */
const isPlainLine = (line: string): boolean =>
  /^[A-Za-z0-9][!-~ ]*$/.test(line) && !/\s(?:-(?!-hash=sha)|#)/.test(line) && !line.includes('${');

test('it is taken or refused, at once, and what is handed on is plain', deadline, async () => {
  const texts = fc.oneof(likeRequirements, anyText({ maxLength: 200 }));
  await fuzz(texts, async (text) => {
    const found = await outcome(text);
    expect(said(found)).not.toContain('S3CRET');
    if (found instanceof RequirementsRefused) {
      expect(found.message.length).toBeLessThan(2_000);
      expect(found.message).not.toMatch(/[\r\n\u2028]/);
    } else {
      expect(found.requirements.text.split('\n')).toHaveLength(found.requirements.lines.length + 1);
      for (const line of found.requirements.lines) expect(line.text).toSatisfy(isPlainLine);
    }
  });
});

test('so are any bytes', deadline, async () => {
  await fuzz(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
    await outcome(bytes);
  });
});

const name = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const end = fc.constantFrom('\n', '\r\n', '\r');
const pad = fc.constantFrom('', ' ', '\t');
const digits = 'a'.repeat(64);

/** Text of some lines, with the name of the requirement that begins on the first of them. */
const block = fc.oneof(
  pad.map((blank) => ({ text: `${blank}\n`, count: 1, name: undefined })),
  pad.map((blank) => ({ text: `${blank}# why \\\n`, count: 1, name: undefined })),
  fc.constant({ text: '--no-cache-dir \\\n  -q\n', count: 2, name: undefined }),
  fc.tuple(name, pad).map(([n, blank]) => ({ text: `${blank}${n}==1 # \n`, count: 1, name: n })),
  fc.tuple(name, fc.integer({ min: 1, max: 4 })).map(([n, hashes]) => ({
    ...{ text: `${n}==1${` \\\n--hash=sha256:${digits}`.repeat(hashes)}\n`, count: hashes + 1, name: n },
  })),
);

test('each line that is handed on knows its own', deadline, async () => {
  await fuzz(fc.tuple(fc.array(block, { maxLength: 30 }), end), async ([blocks, lineEnd]) => {
    const expected: [string, number][] = [];
    let line = 1;
    for (const { name: named, count } of blocks) {
      if (named !== undefined) expected.push([named, line]);
      line += count;
    }
    const text = blocks.map((one) => one.text).join('');
    const { requirements } = await prepared(text.replaceAll('\n', lineEnd));
    expect(requirements.lines.map(({ name: named, source }) => [named, source.line])).toEqual(expected);
  });
});

test('what is handed on would be handed on again as it is', deadline, async () => {
  await fuzz(likeRequirements, async (text) => {
    const found = await outcome(text);
    if (found instanceof RequirementsRefused || found.localWheels.length > 0) return;
    expect((await prepared(found.requirements.text)).requirements.text).toBe(found.requirements.text);
  });
});

const word = fc.string({ unit: fc.constantFrom(...'aZ9-._~%!$&+,;=*:/?#@ "\'\\<>|^`()'), maxLength: 12 });
const user = fc.string({ unit: fc.constantFrom(...'aZ9-._~%'), maxLength: 8 });
const places = [
  ...[
    '-i URL',
    '--index-url=URL',
    '--extra-index-url "URL"',
    '-f URL',
    'six @ URL',
    'six@URL',
    'URL',
    '-c URL',
    '-r URL',
  ],
  ...[
    '-e URL',
    'git+URL',
    'six @ git+URL#egg=six',
    '--frobnicate URL',
    '--trusted-host URL',
    'six URL',
    'six==1 ; URL',
  ],
  ...[
    '--no-cache-dir URL',
    '-i https://pypi.org/simple --extra-index-url URL',
    '--hash=URL',
    '/usr/local/URL',
  ],
];

test('no name and no password of an address is told', deadline, async () => {
  const hosts = fc.constantFrom('pypi.org', 'elsewhere.example.net', 'pypi.org:8443', 'index.example.com');
  const values = fc.tuple(
    fc.constantFrom(...places),
    user,
    word,
    hosts,
    fc.constantFrom('https', 'http', 'ssh'),
  );
  await fuzz(values, async ([place, who, password, host, scheme]) => {
    const url = `${scheme}://${who}:S3CRET${password}@${host}/x-1-py3-none-any.whl?token=S3CRET`;
    expect(said(await outcome(`six\n${place.replace('URL', () => url)}`))).not.toContain('S3CRET');
  });
});

test('no shape of a line takes long', deadline, async () => {
  const heads = [
    '',
    'six ',
    '-i ',
    'six @ https://pypi.org/',
    'six; ',
    'six>=1',
    '"',
    '# ',
    '/usr/local/airflow/plugins/',
  ];
  const repeated = [...pieces, ' -', 'https://u:p@', 'https://u:p ', ' --hash=x', '>=1,', '../'];
  const shapes = fc.tuple(fc.constantFrom(...heads), fc.constantFrom(...repeated));
  await fuzz(shapes, async ([head, piece]) => {
    const text = (head + piece.repeat(32_000)).slice(0, 32_000);
    expect(await takesLong(() => outcome(text), 200)).toBe(false);
  });
});
