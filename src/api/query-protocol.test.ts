// The query protocol: what a form may say, and how answers and errors are written.
import { describe, expect, test } from 'vitest';
import { iamService } from '../contract/aws-model.ts';
import type { StructureShape } from '../contract/shape.ts';
import { readForm } from './query-input.ts';
import { renderQueryOutput } from './query-output.ts';
import { outcome, query, sendForm, trusts } from './test-query.ts';
import { fakeWorld } from './testing.ts';

const shape: StructureShape = {
  kind: 'structure',
  required: [],
  members: {
    Text: { kind: 'string' },
    Number: { kind: 'integer' },
    Flag: { kind: 'boolean' },
    List: { kind: 'list', member: { kind: 'string' } },
    Map: { kind: 'map', key: { kind: 'string' }, value: { kind: 'integer' } },
    Inner: { kind: 'structure', required: [], members: { Text: { kind: 'string' } } },
  },
};
const read = (form: string) => readForm(Buffer.from(form)).members(shape);

describe('a form', () => {
  test.each([
    ['Text=a+b%20c%2B', { Text: 'a b c+' }],
    ['Text=%C3%A9', { Text: 'é' }],
    ['Text=', { Text: '' }],
    ['Text=a&Other=b&__proto__=c&constructor.prototype=d', { Text: 'a' }],
    ['Number=7', { Number: 7 }],
    ['Number=-7', { Number: -7 }],
    ['Number=7.5', { Number: '7.5' }],
    ['Number=12345678901', { Number: '12345678901' }],
    ['Flag=true', { Flag: true }],
    ['Flag=FALSE', { Flag: false }],
    ['Flag=yes', { Flag: 'yes' }],
    ['List=', { List: [] }],
    ['List.member.2=b&List.member.1=a&List.member.10=c', { List: ['a', 'b', 'c'] }],
    ['Map.entry.1.key=a&Map.entry.1.value=1', { Map: { a: 1 } }],
    ['Inner.Text=a', { Inner: { Text: 'a' } }],
    ['', {}],
  ])('%s', (form, members) => {
    expect(read(form)).toEqual(members);
  });

  test.each([
    ['Text=a&Text=b', 'The parameter Text is given more than once.'],
    ['List.member.0=a', "The members of List are numbered from 1, not '0'."],
    ['List.member.x=a', "The members of List are numbered from 1, not 'x'."],
    [`${'a.'.repeat(20)}b=1`, /is nested too deeply/],
    [Array.from({ length: 2_001 }, (_, i) => `p${i}=`).join('&'), /more than 2000 parameters/],
  ])('%.40s is refused', (form, text) => {
    expect(() => read(form)).toThrow(expect.objectContaining({ publicText: expect.stringMatching(text) }));
  });

  test('bytes that are not UTF-8 are refused', () => {
    const form = () => readForm(Buffer.from([0x54, 0x3d, 0xff]));
    expect(form).toThrow(expect.objectContaining({ publicText: 'The request is not valid UTF-8.' }));
  });

  test('a huge form is read in a moment', () => {
    const begun = performance.now();
    expect(() => read(`Text=${'%41'.repeat(300_000)}&Text=`)).toThrow();
    expect(performance.now() - begun).toBeLessThan(500);
  });
});

describe('a request', () => {
  const world = fakeWorld();
  const form = (text: string) => sendForm(world, 'iam', text);

  test('without an action, of another version, or for an action that is not there', async () => {
    const said = async (text: string) => {
      const { status, code, message } = await form(text);
      return `${status} ${code}: ${message}`;
    };
    expect(await said('Version=2010-05-08')).toBe(
      '400 InvalidAction: Could not find operation (none) for version 2010-05-08',
    );
    expect(await said('Action=ListUsers')).toBe(
      '400 InvalidAction: Could not find operation ListUsers for version NO_VERSION_SPECIFIED',
    );
    expect(await said('Action=ListUsers&Version=2011-06-15')).toMatch(/^400 InvalidAction: /);
    expect(await said('Action=CreateLoginProfile&Version=2010-05-08')).toMatch(/^400 InvalidAction: /);
    expect(await said('Action=__proto__&Version=2010-05-08')).toMatch(/^400 InvalidAction: /);
  });

  test('whose members are wrong', async () => {
    expect(await outcome(world, 'CreateUser')).toMatch(
      /^400 ValidationError: 1 validation error detected: Value null at 'userName' failed to satisfy constraint: Member must not be null$/,
    );
    expect(await outcome(world, 'ListUsers', { MaxItems: 0 })).toMatch(
      /^400 ValidationError: 1 validation error detected: Value '0' at 'maxItems' failed to satisfy constraint: Member must have value greater than or equal to 1$/,
    );
    expect(await outcome(world, 'ListUsers', { MaxItems: 'many' })).toMatch(/^400 \w+: /);
    expect(await outcome(world, 'GetUser', { UserName: 'a b' })).toMatch(/^400 ValidationError: /);
    expect(await outcome(world, 'CreateUser', { UserName: 'a'.repeat(65) })).toMatch(
      /^400 ValidationError: /,
    );
  });

  test('is answered as XML of the service, with the id of the request', async () => {
    const Description = '<a & "b">\'\r\n\té';
    const given = { RoleName: 'ci', AssumeRolePolicyDocument: trusts({ AWS: '*' }), Description };
    const { text } = await query(world, 'CreateRole', given);
    expect(text).toMatch(
      /^(<\?xml[^>]*>)?<CreateRoleResponse xmlns="https:\/\/iam\.amazonaws\.com\/doc\/2010-05-08\/"><CreateRoleResult><Role>/,
    );
    expect(text).toMatch(
      /<ResponseMetadata><RequestId>[0-9a-f-]{36}<\/RequestId><\/ResponseMetadata><\/CreateRoleResponse>$/,
    );
    expect(text).toContain('&lt;a &amp; &quot;b&quot;&gt;');
    expect(text, 'a parser of XML would make a line feed of it').not.toContain('\r');
    const { Role } = (await query(world, 'GetRole', { RoleName: 'ci' })).result;
    expect(Role).toMatchObject({ RoleName: 'ci', Description });
    expect(Role.CreateDate).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });

  test('that fails is answered as an ErrorResponse', async () => {
    const { text, status } = await query(world, 'GetUser', { UserName: 'nobody' });
    expect(status).toBe(404);
    expect(text).toMatch(
      /<ErrorResponse xmlns="https:\/\/iam\.amazonaws\.com\/doc\/2010-05-08\/"><Error><Type>Sender<\/Type><Code>NoSuchEntity<\/Code><Message>The user with name nobody cannot be found\.<\/Message><\/Error><RequestId>[0-9a-f-]{36}<\/RequestId><\/ErrorResponse>$/,
    );
  });
});

test('an answer has no member that the model does not have', () => {
  const operation = iamService.operations.get('CreateUser');
  if (!operation) throw new Error('no CreateUser');
  const render = () => renderQueryOutput(iamService, operation, { Users: [] }, 'id');
  expect(render).toThrow(/a member that the model does not have: Users/);
});
