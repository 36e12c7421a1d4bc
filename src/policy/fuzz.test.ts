// Whatever stands in a policy and whatever is asked: it is read or refused with a place, and decided, and neither takes
// long (cases A78 and A79).
import fc from 'fast-check';
import { expect, inject, test } from 'vitest';
import { fuzzer, takesLong } from '../lib/test-fuzz.ts';
import { evaluate, evaluateTrust, type NamedPolicy } from './evaluate.ts';
import { MalformedPolicy } from './malformed.ts';
import { parsePolicy } from './parse.ts';
import type { PolicyKind } from './policy.ts';
import { isPossible } from './possible.ts';
import { damaged, document, documentOf, kinds, request, text } from './test-arbitraries.ts';

const { fuzz, deadline } = fuzzer(inject('fuzzSeconds'));

/** Undefined for what is refused; any other error than MalformedPolicy goes through. */
const read = (given: string, kind: PolicyKind): NamedPolicy | undefined => {
  try {
    return { name: kind, policy: parsePolicy(given, kind) };
  } catch (error) {
    if (!(error instanceof MalformedPolicy)) throw error;
    expect(error.line).toBeGreaterThan(0);
    expect(error.column).toBeGreaterThan(0);
    expect(error.message.length).toBeLessThan(700);
    return undefined;
  }
};

test('a document is read or refused as malformed', deadline, async () => {
  let good = 0;
  const runs = await fuzz(
    fc.tuple(fc.oneof(document, damaged), fc.constantFrom(...kinds)),
    ([given, kind]) => {
      if (read(given, kind)) good += 1;
    },
  );
  if (runs > 1_000) expect(good / runs, 'too few documents can be read to try much').toBeGreaterThan(0.03);
});

test('whatever is asked is decided, and a deny that matches wins', deadline, async () => {
  const documents = fc.record({
    identity: fc.array(documentOf('identity'), { maxLength: 3 }),
    ...{ boundary: documentOf('boundary'), session: documentOf('session') },
    ...{ resource: documentOf('resource'), rail: documentOf('guard-rail'), trust: documentOf('trust') },
  });
  await fuzz(fc.tuple(documents, request), ([given, asked]) => {
    const policies = {
      identity: given.identity.flatMap((one) => read(one, 'identity') ?? []),
      boundary: read(given.boundary, 'boundary'),
      session: [read(given.session, 'session')].flatMap((one) => one ?? []),
      guardRails: [read(given.rail, 'guard-rail')].flatMap((one) => one ?? []),
      resource: read(given.resource, 'resource'),
    };
    const decision = evaluate(asked, policies);
    const effects = decision.matched.map(({ effect }) => effect);
    if (effects.includes('Deny')) expect(decision.allowed).toBe(false);
    if (decision.allowed && decision.reason !== 'always-allowed') expect(effects).toContain('Allow');
    if (/^allowed-by-/.test(decision.reason)) expect(isPossible(policies, [asked.action])).toBe(true);
    const trust = read(given.trust, 'trust');
    if (trust) expect(evaluateTrust(asked, trust.policy)).toMatch(/^(named|account|none)$/);
  });
});

/** As long as a document may be, from one piece again and again. */
const filled = (make: (body: string) => string, piece: string): string =>
  make(piece.repeat(Math.floor((130_000 - make('').length) / Math.max(1, piece.length))));
const shapes: Readonly<Record<string, (body: string) => string>> = {
  'nothing else': (body) => body,
  'a text': (body) => JSON.stringify({ Statement: body }),
  resource: (body) => `{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:a:b:c:${body}"}}`,
  resources: (body) => `{"Statement":{"Effect":"Allow","Action":"*","Resource":["*"${body}]}}`,
  actions: (body) => `{"Statement":{"Effect":"Allow","Action":["*"${body}],"Resource":"*"}}`,
  statements: (body) => `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}${body}]}`,
  condition: (body) =>
    `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"aws:x":"${body}"}}}}`,
};
const statement = '{"Effect":"Allow","Action":"*","Resource":"*"}';
const repeated = fc.oneof(
  fc.constantFrom(
    '[',
    '{',
    '{"a":',
    '"',
    '\\u0041',
    '\n',
    ' ',
    'a*',
    '*a',
    '?',
    '${a:b}',
    '${',
    '}',
    ',"*"',
    ':',
  ),
  fc.constantFrom(
    `,${statement}`,
    `,\n\n\n\n${statement}`,
    `,${statement}${'\n'.repeat(80)}`,
    ',"airflow:a*a*a*b"',
  ),
  text,
);

test('A78 nothing takes long: the longest documents, of whatever is repeated', deadline, async () => {
  const long = 'a'.repeat(2_000);
  const asked = {
    principal: { type: 'IAMUser', arn: long },
    action: `a:${long}`,
    resource: `arn:aws:a:b:c:${long}`,
  } as const;
  await fuzz(fc.tuple(fc.constantFrom(...Object.values(shapes)), repeated), async ([make, piece]) => {
    const given = filled(make, piece);
    const policy = read(given, 'identity');
    const identity = policy ? [policy] : [];
    const decide = () => evaluate({ ...asked, context: { 'aws:x': long, 'a:b': long } }, { identity });
    expect(await takesLong(() => read(given, 'identity'), 1_000), `reading ${given.slice(0, 200)}`).toBe(
      false,
    );
    expect(await takesLong(decide, 1_000), `deciding by ${given.slice(0, 200)}`).toBe(false);
  });
});

test('A78 a document of a megabyte and one of ten thousand statements are refused at once', async () => {
  const many = `{"Statement":[${Array(2_500).fill(statement).join(',')}]}`;
  for (const given of [many, ' '.repeat(1_000_000), many.replace('[', `[${`${statement},`.repeat(7_500)}`)]) {
    expect(read(given, 'identity')).toBeUndefined();
    expect(await takesLong(() => read(given, 'identity'), 300)).toBe(false);
  }
});

test.each([
  ['a key twice', '{"Version":"2012-10-17","Version":"2012-10-17","Statement":[]}'],
  [
    'a key twice, in another spelling of its letters',
    `{"Statement":{"Effect":"Deny","Eff\\u0065ct":"Allow","Action":"*","Resource":"*"}}`,
  ],
  ['__proto__', `{"__proto__":{"Statement":[]},"Statement":${statement}}`],
  ['an element from __proto__', '{"Statement":{"__proto__":{"Effect":"Allow"},"Action":"*","Resource":"*"}}'],
  ['a number as an action', '{"Statement":{"Effect":"Allow","Action":1,"Resource":"*"}}'],
  ['a BOM', `\ufeff{"Statement":${statement}}`],
  ['a comment', `{"Statement":${statement}/* */}`],
  ['a comma too many', `{"Statement":[${statement},]}`],
  ['more after the end', `{"Statement":${statement}} {}`],
  ['keys in small letters', '{"statement":{"effect":"Allow","action":"*","resource":"*"}}'],
])('A79 %s is refused', (_, given) => {
  expect(read(given, 'identity')).toBeUndefined();
});
