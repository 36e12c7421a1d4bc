import fc from 'fast-check';
import { anyText } from '../lib/test-fuzz.ts';
import type { AuthorizationRequest } from './evaluate.ts';
import type { PolicyKind } from './policy.ts';

/** For tests only: documents that are nearly policies, and requests that are nearly what they speak of. */

export const kinds: readonly PolicyKind[] = [
  ...(['identity', 'session', 'boundary', 'guard-rail', 'trust', 'resource'] as const),
];

const pieces = [
  ...[
    '*',
    '?',
    '**',
    'a',
    'ab',
    'A',
    'aws',
    'airflow',
    'iam',
    ':',
    '::',
    '/',
    'arn:aws:',
    'arn:*',
    'arn:aws:airflow:*:*:role/',
  ],
  ...[
    `\${`,
    '}',
    `\${aws:username}`,
    `\${aws:PrincipalTag/team, 'x'}`,
    `\${*}`,
    `\${?}`,
    `\${$}`,
    "', '",
    '-',
    '_',
    ' ',
  ],
  ...[
    '123456789012',
    '127.0.0.1',
    '10.0.0.0/8',
    '::1/128',
    'true',
    '2026-11-25T00:00:00Z',
    '1e3',
    '\u0000',
    'é',
    '😀',
    '\ud800',
  ],
];
export const text = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((some) => some.join('')),
  },
  { weight: 1, arbitrary: anyText({ maxLength: 20 }) },
);

const operators = [
  ...[
    'StringEquals',
    'StringLike',
    'StringNotEqualsIfExists',
    'ForAllValues:StringLike',
    'ForAnyValue:ArnLike',
    'Null',
  ],
  ...[
    'NumericLessThan',
    'DateGreaterThan',
    'Bool',
    'IpAddress',
    'NotIpAddress',
    'BinaryEquals',
    'ArnNotLike',
  ],
];
const keys = [
  'aws:SourceIp',
  'aws:username',
  'AWS:PrincipalTag/team',
  'aws:CurrentTime',
  'aws:x',
  'a.b/c:sub',
];
const badKeys = ['__proto__', 'x', ''];
const anything = fc.oneof(
  { weight: 8, arbitrary: text },
  fc.boolean(),
  fc.double(),
  fc.constant(null),
  fc.constant({}),
);
const someOf = (one: fc.Arbitrary<unknown>) => fc.oneof(one, fc.array(one, { maxLength: 4 }));
const object = (names: readonly string[], value: fc.Arbitrary<unknown>) =>
  fc
    .array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 3 })
    .map((entries) => Object.fromEntries(entries));

/** Mostly what the element should be, so that much of it can be read. */
const mostly = (good: fc.Arbitrary<unknown>, bad: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 12, arbitrary: good }, { weight: 1, arbitrary: bad });

const action = fc.constantFrom('*', 'airflow:*', 'airflow:Get?nvironment', 'iam:PassRole', 'sts:AssumeRole');
const resource = fc.constantFrom(
  '*',
  'arn:aws:airflow:*:*:environment/*',
  'arn:aws:*',
  `arn:aws:iam::1:role/\${aws:username}`,
);
const someone = fc.constantFrom('*', '123456789012', 'arn:aws:iam::123456789012:user/ann', 'a.example');
const principal = mostly(
  fc.oneof(fc.constant('*'), object(['AWS', 'Service', 'Federated'], someOf(someone))),
  object(['AWS', 'Service', 'Federated', 'x'], someOf(anything)),
);
const value = fc.constantFrom(
  '*',
  'a*',
  'true',
  '127.0.0.0/8',
  '5',
  `\${aws:username}`,
  `\${aws:x, 'y'}-*`,
  'arn:aws:*:*:*:*',
);
const condition = mostly(
  object(operators, mostly(object(keys, someOf(value)), object([...keys, ...badKeys], someOf(anything)))),
  anything,
);

const element = (good: fc.Arbitrary<unknown>) => mostly(someOf(good), someOf(anything));

const statement = fc.record(
  {
    Sid: fc.constantFrom('', 'a', 'b'),
    Effect: mostly(fc.constantFrom('Allow', 'Deny'), anything),
    Action: element(action),
    Resource: element(
      fc.oneof(
        resource,
        text.map((tail) => `arn:aws:airflow:*:*:${tail}`),
      ),
    ),
    NotAction: element(action),
    NotResource: element(resource),
    Principal: mostly(principal, anything),
    NotPrincipal: principal,
    Condition: condition,
    Other: anything,
  },
  { requiredKeys: ['Effect', 'Action', 'Resource'] },
);
/** Elements that exclude others, that nothing has, or that this kind of policy has no place for: out most of the time. */
const tidied = (kind: PolicyKind) =>
  fc.tuple(statement, fc.nat(15)).map(([given, chance]) => {
    const { Other: _, NotAction: __, NotResource: ___, NotPrincipal: ____, Principal, ...rest } = given;
    if (chance === 0) return given;
    if (kind === 'resource') return { ...rest, Principal: Principal ?? '*' };
    if (kind !== 'trust') return rest;
    const { Resource: _____, ...withoutResource } = rest;
    return { ...withoutResource, Principal: Principal ?? '*' };
  });

/** The text of a document of this kind. */
export const documentOf = (kind: PolicyKind): fc.Arbitrary<string> =>
  fc
    .record({
      Version: mostly(fc.constantFrom('2012-10-17', '2008-10-17'), anything),
      Statement: fc.oneof(tidied(kind), fc.array(tidied(kind), { maxLength: 4 })),
    })
    .map((policy) => JSON.stringify(policy));

/** The text of a document of any kind. */
export const document = fc.oneof(...kinds.map(documentOf));

/** The same, with some characters changed. */
export const damaged = fc
  .tuple(document, fc.array(fc.record({ at: fc.nat(), length: fc.nat(5), by: text }), { maxLength: 3 }))
  .map(([whole, changes]) =>
    changes.reduce((now, { at, length, by }) => {
      const from = at % (now.length + 1);
      return now.slice(0, from) + by + now.slice(from + length);
    }, whole),
  );

/** Whatever a call may ask. */
export const request: fc.Arbitrary<AuthorizationRequest> = fc.record({
  principal: fc.record({
    type: fc.constantFrom('IAMUser', 'AssumedRole', 'FederatedUser'),
    arn: fc.oneof(fc.constant('arn:aws:iam::123456789012:user/ann'), text),
  }),
  action: fc.oneof(fc.constantFrom('airflow:GetEnvironment', 'sts:AssumeRole'), text),
  resource: fc.oneof(fc.constantFrom('*', 'arn:aws:airflow:us-east-1:1:environment/demo'), text),
  context: fc.dictionary(fc.constantFrom(...keys), fc.oneof(text, fc.array(text, { maxLength: 3 })), {
    maxKeys: 5,
  }),
});
