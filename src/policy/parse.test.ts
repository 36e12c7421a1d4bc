import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyText } from '../lib/test-fuzz.ts';
import { MalformedPolicy } from './malformed.ts';
import { managedPolicies } from './managed.ts';
import { compiledPolicy, parsePolicy } from './parse.ts';
import type { PolicyKind } from './policy.ts';

/** A document with one statement whose members are changed; undefined takes one away. */
const document = (change: object = {}, more: object = {}): string => {
  const statement = { Effect: 'Allow', Action: 'airflow:*', Resource: '*', ...change };
  return JSON.stringify({ Version: '2012-10-17', Statement: [statement], ...more });
};

const fault = (text: string, kind: PolicyKind = 'identity'): MalformedPolicy => {
  try {
    parsePolicy(text, kind);
  } catch (error) {
    if (error instanceof MalformedPolicy) return error;
    throw error;
  }
  throw new Error(`it was taken: ${text}`);
};

const syntax = 'Syntax errors in policy.';
const prefaced = 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.';

test.each<[string, string]>([
  ['', syntax],
  ['x', syntax],
  ['null', syntax],
  ['[]', syntax],
  ['"text"', syntax],
  ['{}', syntax],
  ['\ufeff{}', syntax],
  [`${document()},`, syntax],
  [document().replace('"airflow:*"', '"airflow:*",'), syntax],
  [`// a comment\n${document()}`, syntax],
  [document().replace('"Effect"', '"Effect":"Deny","Effect"'), syntax],
  [document().replace('"Version"', '"Version":"2012-10-17","Version"'), syntax],
  [document({}, { Extra: 1 }), syntax],
  [document().replace('"Effect"', '"__proto__":{"Effect":"Allow"},"Effect"'), syntax],
  [document({}, { Statement: [] }), syntax],
  [document({}, { Statement: 'x' }), syntax],
  [document({}, { Statement: [1] }), syntax],
  [document({}, { Statement: undefined }), syntax],
  [document({}, { Id: 5 }), syntax],
  [document({}, { Version: '2012-10-18' }), 'Policy document must be version 2012-10-17 or greater.'],
  [document({}, { Version: '' }), 'Policy document must be version 2012-10-17 or greater.'],
  [document({}, { Version: 20121017 }), syntax],
  [document({ Effect: undefined }), 'Missing required field Effect'],
  [document({ Effect: 'allow' }), 'Invalid effect: allow'],
  [document({ Effect: ['Allow'] }), syntax],
  [document({ Action: undefined }), 'Policy statement must contain actions.'],
  [document({ Action: [] }), 'Policy statement must contain actions.'],
  [document({ Action: 'ListEnvironments' }), prefaced],
  [document({ Action: ['airflow:*', ''] }), prefaced],
  [document({ Action: '*:Get' }), 'Vendor * is not valid'],
  [document({ Action: 'air*:Get' }), 'Vendor air* is not valid'],
  [document({ Action: ' airflow:X' }), 'Vendor  airflow is not valid'],
  [document({ Action: 'airflow: X' }), syntax],
  [document({ Action: 'airflow:Get;' }), syntax],
  [document({ Action: 5 }), syntax],
  [document({ Action: { a: 1 } }), syntax],
  [document({ NotAction: 'airflow:*' }), syntax],
  [document({ Resource: undefined }), 'Policy statement must contain resources.'],
  [document({ Resource: [] }), 'Policy statement must contain resources.'],
  [document({ Resource: 'demo' }), 'Resource demo must be in ARN format or "*".'],
  [document({ Resource: 'arn:aws:airflow' }), 'Resource arn:aws:airflow must be in ARN format or "*".'],
  [
    document({ Resource: 'arn:aws:airflow:us-east-1:1' }),
    'Resource arn:aws:airflow:us-east-1:1 must be in ARN format or "*".',
  ],
  [document({ Resource: 'a:b:c:d:e:f' }), 'Resource a:b:c:d:e:f must be in ARN format or "*".'],
  [document({ Resource: '' }), 'Resource  must be in ARN format or "*".'],
  [
    document({ Resource: 'arn:aws:airflow:us-east-1:${aws:x}:environment/a' }),
    'Resource arn:aws:airflow:us-east-1:${aws:x}:environment/a must be in ARN format or "*".',
  ],
  [
    document({ Resource: 'arn:aws:airflow:us-east-1:1:environment/${aws:x' }),
    'Resource arn:aws:airflow:us-east-1:1:environment/${aws:x must be in ARN format or "*".',
  ],
  [document({ Resource: 7 }), syntax],
  [document({ NotResource: '*' }), syntax],
  [document({ Principal: '*' }), 'Policy document should not specify a principal.'],
  [document({ NotPrincipal: '*' }), 'Policy document should not specify a principal.'],
  [document({ Extra: 1 }), syntax],
  [document({ effect: 'Allow' }), syntax],
  [
    document({ Sid: 'a b' }),
    'Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*',
  ],
  [document({ Sid: 5 }), syntax],
  [document({ Condition: 'x' }), syntax],
  [document({ Condition: { StringEqual: { 'aws:x': '1' } } }), 'Invalid Condition type : StringEqual.'],
  [
    document({ Condition: { 'ForSomeValues:StringEquals': { 'aws:x': '1' } } }),
    'Invalid Condition type : ForSomeValues:StringEquals.',
  ],
  [document({ Condition: { NullIfExists: { 'aws:x': 'true' } } }), 'Invalid Condition type : NullIfExists.'],
  [document({ Condition: { StringEquals: { x: '1' } } }), prefaced],
  [document({ Condition: { StringEquals: 'aws:x' } }), syntax],
  [document({ Condition: { StringEquals: { 'aws:x': [] } } }), syntax],
  [document({ Condition: { StringEquals: { 'aws:x': { a: 1 } } } }), syntax],
  [document({ Condition: { StringEquals: { 'aws:x': null } } }), syntax],
  [document({ Condition: { StringEquals: { 'aws:x': '${}' } } }), syntax],
  [
    document().replace('[{', '[{"Sid":"a","Effect":"Allow","Action":"a:b","Resource":"*"},{"Sid":"a",'),
    'Statement IDs (SID) in a single policy must be unique.',
  ],
  [`{"Statement":${'['.repeat(50)}${']'.repeat(50)}}`, syntax],
  [`{"Id":"${'x'.repeat(200_000)}"}`, syntax],
])('is refused: %s', (text, message) => {
  expect(fault(text).publicText.startsWith(`${message} (line `), fault(text).publicText).toBe(true);
});

test.each<[string, PolicyKind, string]>([
  [document({ Principal: '*' }), 'trust', 'Has prohibited field Resource'],
  [document({ Resource: undefined }), 'trust', 'Missing required field Principal'],
  [document(), 'resource', 'Missing required field Principal'],
  [document({ Resource: undefined, Principal: 'ann' }), 'trust', 'Invalid principal in policy.'],
  [
    document({ Resource: undefined, Principal: { AWS: 'ann' } }),
    'trust',
    'Invalid principal in policy: "AWS":"ann"',
  ],
  [document({ Resource: undefined, Principal: { User: '*' } }), 'trust', 'Invalid principal in policy.'],
  [
    document({ Resource: undefined, NotPrincipal: { AWS: '*' } }),
    'trust',
    'Has prohibited field NotPrincipal',
  ],
  [
    document({ Resource: undefined, Principal: { Service: `${'a.'.repeat(9_000)}com` } }),
    'trust',
    `Invalid principal in policy: "SERVICE":"${'a.'.repeat(300)}"`,
  ],
  [
    document({ Resource: undefined, Principal: { Service: 'x y' } }),
    'trust',
    'Invalid principal in policy: "SERVICE":"x y"',
  ],
  [document({ Effect: 'Deny' }), 'guard-rail', syntax],
  [
    document({}, { Version: '2008-10-17' }),
    'guard-rail',
    'Policy document must be version 2012-10-17 or greater.',
  ],
])('is refused: %s as %s', (text, kind, message) => {
  expect(fault(text, kind).publicText.startsWith(message), fault(text, kind).publicText).toBe(true);
});

test('the place of the fault and what to do are named', () => {
  const text =
    '{\n  "Version": "2012-10-17",\n  "Statement": {\n    "Effect": "Allow",\n    "Action": "Get",\n    "Resource": "*" } }';
  const found = fault(text);
  expect([found.line, found.column]).toEqual([5, 15]);
  expect(found.publicText).toBe(
    `${prefaced} (line 5, column 15: Get has none; write for instance airflow:GetEnvironment)`,
  );
});

test.each([
  ['one statement without a list', document().replace('[{', '{').replace('}]', '}')],
  ['no version', document({}, { Version: undefined })],
  ['the old version', document({}, { Version: '2008-10-17' })],
  ['an id', document({}, { Id: 'x' })],
  [
    'numbers and booleans as values',
    document({ Condition: { NumericLessThan: { 'aws:x': 5 }, Bool: { 'aws:y': true } } }),
  ],
  ['an ARN that ends early', document({ Resource: 'arn:aws:airflow:*' })],
  ['an empty action of a service', document({ Action: 'airflow:' })],
])('is taken: %s', (_name, text) => {
  expect(parsePolicy(text, 'identity').statements).toHaveLength(1);
});

test.each(['IpAddress', 'NotIpAddress', 'ForAnyValue:NotIpAddressIfExists'])(
  '%s takes addresses and networks, or a variable',
  (operator) => {
    const parsed = (value: unknown) =>
      parsePolicy(document({ Condition: { [operator]: { 'aws:SourceIp': value } } }), 'identity');
    for (const value of ['10.0.0.0/8', ['192.0.2.7', '2001:db8::/32'], '${aws:PrincipalTag/network}'])
      expect(parsed(value).statements).toHaveLength(1);
    for (const value of ['10.0.0.0/33', '10.0.0', 'office', ['10.0.0.0/8', ''], '10.0.0.0/8/8'])
      expect(() => parsed(value), JSON.stringify(value)).toThrow(
        /takes an IP address or a network such as 203\.0\.113\.0\/24/,
      );
  },
);

test('a policy that was stored before such a check can still be read', () => {
  const text = document({ Condition: { IpAddress: { 'aws:SourceIp': '10.0.0' } } });
  expect(() => parsePolicy(text, 'guard-rail')).toThrow('takes an IP address');
  expect(compiledPolicy(text, 'guard-rail').statements).toHaveLength(1);
});

test('without variables their writing is no address', () => {
  const text = document(
    { Condition: { NotIpAddress: { 'aws:SourceIp': '${aws:PrincipalTag/network}' } } },
    { Version: '2008-10-17' },
  );
  expect(() => parsePolicy(text, 'identity')).toThrow('takes an IP address');
});

test.each([...managedPolicies])('ready-made: %s', (_arn, { document: written }) => {
  expect(parsePolicy(written('123456789012'), 'identity').statements.length).toBeGreaterThan(0);
  expect(written('123456789012').replaceAll(/\s/g, '').length).toBeLessThan(6_144);
});

test('the same content is read once', () => {
  expect(compiledPolicy(document(), 'identity')).toBe(compiledPolicy(document(), 'identity'));
  expect(compiledPolicy(document(), 'identity')).not.toBe(compiledPolicy(document(), 'session'));
});

describe('whatever is written', () => {
  const kinds: readonly PolicyKind[] = ['identity', 'session', 'boundary', 'guard-rail', 'trust', 'resource'];
  const often = { numRuns: 500 };
  const tries = (text: string, kind: PolicyKind): void => {
    try {
      parsePolicy(text, kind);
    } catch (error) {
      if (!(error instanceof MalformedPolicy)) throw error;
      expect(error.line).toBeGreaterThan(0);
    }
  };
  test('text', () => {
    fc.assert(fc.property(anyText(), fc.constantFrom(...kinds), tries), often);
  });

  test('JSON', () => {
    fc.assert(fc.property(fc.json(), fc.constantFrom(...kinds), tries), often);
  });

  test('a policy with some characters changed', () => {
    const valid = [...managedPolicies.values()].map(({ document: written }) => written('123456789012'));
    const change = fc.record({ at: fc.nat(), length: fc.nat(5), by: fc.string({ maxLength: 5 }) });
    fc.assert(
      fc.property(
        fc.constantFrom(...valid),
        fc.array(change, { maxLength: 4 }),
        fc.constantFrom(...kinds),
        (text, changes, kind) => {
          const changed = changes.reduce((now, { at, length, by }) => {
            const from = at % (now.length + 1);
            return now.slice(0, from) + by + now.slice(from + length);
          }, text);
          tries(changed, kind);
        },
      ),
      often,
    );
  });
});
