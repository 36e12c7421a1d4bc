// What must be true of every set of policies and every request.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AuthorizationRequest, evaluate, type Policies } from './evaluate.ts';
import { matches, patternOf } from './pattern.ts';
import { account, ann, type Given, policy, request, session } from './testing.ts';

const name = fc.constantFrom('a', 'b', 'ab', 'a-b');
const text = fc.constantFrom('a', 'b', 'a*', '*', '?', '?b', 'a-?', '*b');
const action = fc.oneof(
  fc.constant('*'),
  text.map((t) => `airflow:${t.replaceAll('-', '')}`),
);
const resource = fc.oneof(
  fc.constant('*'),
  text.map((t) => `arn:aws:airflow:*:${account}:role/${t}`),
  fc.constant(`arn:aws:airflow:*:${account}:role/\${aws:username}`),
);
const operator = fc.constantFrom(
  'StringEquals',
  'StringNotEquals',
  'StringLike',
  'StringLikeIfExists',
  'ForAllValues:StringEquals',
  'ForAnyValue:StringLike',
  'Null',
);
const condition = fc.option(
  fc
    .tuple(operator, fc.constantFrom('aws:x', 'aws:y'), fc.constantFrom('a', 'b', 'true', 'false', '*'))
    .map(([op, key, value]) => ({ [op]: { [key]: value } })),
  { nil: undefined },
);
const oneOrNot = (member: string, value: fc.Arbitrary<string>) =>
  fc
    .tuple(fc.boolean(), fc.array(value, { minLength: 1, maxLength: 2 }))
    .map(([not, values]) => ({ [not ? `Not${member}` : member]: values }));
const statementOf = (effect: fc.Arbitrary<string>): fc.Arbitrary<Given> =>
  fc
    .tuple(effect, oneOrNot('Action', action), oneOrNot('Resource', resource), condition)
    .map(([Effect, actions, resources, Condition]) => ({
      Effect,
      ...actions,
      ...resources,
      ...(Condition ? { Condition } : {}),
    }));
const statement = statementOf(fc.constantFrom('Allow', 'Allow', 'Deny'));
const statements = fc.array(statement, { minLength: 1, maxLength: 4 });

interface Layers {
  readonly identity: readonly (readonly Given[])[];
  readonly boundary: readonly Given[] | undefined;
  readonly session: readonly Given[] | undefined;
}
const layers: fc.Arbitrary<Layers> = fc.record({
  identity: fc.array(statements, { maxLength: 3 }),
  boundary: fc.option(statements, { nil: undefined }),
  session: fc.option(statements, { nil: undefined }),
});
const policiesOf = (l: Layers): Policies => ({
  identity: l.identity.map((some) => policy('identity', ...some)),
  ...(l.boundary ? { boundary: policy('boundary', ...l.boundary) } : {}),
  ...(l.session ? { session: [policy('session', ...l.session)] } : {}),
});

const asked: fc.Arbitrary<AuthorizationRequest> = fc
  .record({
    principal: fc.constantFrom(ann, session),
    action: fc.constantFrom('a', 'b', 'ab').map((a) => `airflow:${a}`),
    resource: name.map((n) => `arn:aws:airflow:us-east-1:${account}:role/${n}`),
    context: fc.dictionary(
      fc.constantFrom('aws:x', 'aws:y', 'aws:username'),
      fc.oneof(fc.constantFrom('a', 'b', '*'), fc.array(fc.constantFrom('a', 'b'), { maxLength: 2 })),
      { maxKeys: 3 },
    ),
  })
  .map((change) => request(change));

const decide = (r: AuthorizationRequest, l: Layers): boolean => evaluate(r, policiesOf(l)).allowed;
const runs = { numRuns: 400 };

test('a deny never widens', () => {
  fc.assert(
    fc.property(asked, layers, statementOf(fc.constant('Deny')), fc.nat(3), (r, l, added, where) => {
      const identity =
        where === 0 || l.identity.length === 0
          ? [...l.identity, [added]]
          : l.identity.map((some, i) => (i === where % l.identity.length ? [...some, added] : some));
      if (decide(r, { ...l, identity })) expect(decide(r, l)).toBe(true);
      if (l.boundary && decide(r, { ...l, boundary: [...l.boundary, added] }))
        expect(decide(r, l)).toBe(true);
    }),
    runs,
  );
});

test('an allow never narrows', () => {
  fc.assert(
    fc.property(asked, layers, statementOf(fc.constant('Allow')), (r, l, added) => {
      if (decide(r, l)) expect(decide(r, { ...l, identity: [...l.identity, [added]] })).toBe(true);
    }),
    runs,
  );
});

test('order never matters, nor how statements are spread over policies', () => {
  fc.assert(
    fc.property(asked, layers, (r, l) => {
      const turned = l.identity.map((some) => [...some].reverse()).reverse();
      expect(decide(r, { ...l, identity: turned })).toBe(decide(r, l));
      expect(decide(r, { ...l, identity: l.identity.flat().map((one) => [one]) })).toBe(decide(r, l));
    }),
    runs,
  );
});

test('a boundary and a session only ever take away', () => {
  fc.assert(
    fc.property(asked, layers, (r, l) => {
      if (decide(r, l)) expect(decide(r, { ...l, boundary: undefined, session: undefined })).toBe(true);
    }),
    runs,
  );
});

test('what is allowed was allowed by a statement, and what a statement denies is not', () => {
  fc.assert(
    fc.property(asked, layers, (r, l) => {
      const decision = evaluate(r, policiesOf(l));
      const effects = (layer: string) =>
        decision.matched.filter((m) => m.layer === layer).map((m) => m.effect);
      expect(decision.allowed && effects('identity').length === 0).toBe(false);
      expect(decision.allowed && decision.matched.some((m) => m.effect === 'Deny')).toBe(false);
    }),
    runs,
  );
});

test('wildcards match what a regular expression says', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '.', '\n'), maxLength: 8 });
  fc.assert(
    fc.property(
      letters,
      fc.string({ unit: fc.constantFrom('a', 'b', '.', '\n'), maxLength: 10 }),
      (pattern, value) => {
        const source = pattern.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
        expect(matches(patternOf(pattern), value)).toBe(new RegExp(`^${source}$`, 's').test(value));
      },
    ),
    { numRuns: 2_000 },
  );
});
