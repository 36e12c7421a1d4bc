// The contract against AWS's own model of the service, as botocore has it: member by member, both ways.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { exceptions } from './exceptions.ts';
import { type OperationBinding, operations } from './operations.ts';
import type { Shape, StructureShape } from './shape.ts';

interface ModelShape {
  readonly type: string;
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly sensitive?: boolean;
  readonly document?: boolean;
  readonly required?: readonly string[];
  readonly members?: Readonly<Record<string, ModelMember>>;
  readonly member?: ModelMember;
  readonly key?: ModelMember;
  readonly value?: ModelMember;
  readonly exception?: boolean;
  readonly error?: { readonly httpStatusCode: number };
}
interface ModelMember {
  readonly shape: string;
  readonly location?: 'uri' | 'querystring';
  readonly locationName?: string;
}
interface ModelOperation {
  readonly http: { readonly method: string; readonly requestUri: string; readonly responseCode: number };
  readonly input: ModelMember;
  readonly output: ModelMember;
  readonly errors: readonly ModelMember[];
  readonly endpoint: { readonly hostPrefix: string };
  readonly idempotent?: boolean;
  readonly readonly?: boolean;
  readonly deprecated?: boolean;
  readonly deprecatedMessage?: string;
}
const model: {
  readonly operations: Readonly<Record<string, ModelOperation>>;
  readonly shapes: Readonly<Record<string, ModelShape>>;
} = JSON.parse(readFileSync(new URL('../../test/conformance/mwaa/service-2.json', import.meta.url), 'utf8'));

const modelShape = (name: string): ModelShape => {
  const shape = model.shapes[name];
  if (!shape) throw new Error(`the model has no shape ${name}`);
  return shape;
};

/** One line a fact, by where it is: `MetricData[].Unit/enum: …`. What two sides do not share is a difference. */
type Facts = Map<string, string>;

const fact = (facts: Facts, at: string, what: string, value: unknown): void => {
  if (value !== undefined) facts.set(`${at}/${what}`, Array.isArray(value) ? value.join(' ') : String(value));
};

const modelFacts = (name: string, at: string, facts: Facts): Facts => {
  const shape = modelShape(name);
  fact(facts, at, 'type', shape.document ? 'document' : shape.type);
  fact(facts, at, 'min', shape.min);
  fact(facts, at, 'max', shape.max);
  fact(facts, at, 'pattern', shape.pattern);
  fact(facts, at, 'enum', shape.enum);
  fact(facts, at, 'sensitive', shape.sensitive);
  if (shape.type === 'structure' && !shape.document) {
    fact(facts, at, 'required', [...(shape.required ?? [])].sort());
    for (const [member, { shape: inner }] of Object.entries(shape.members ?? {}))
      modelFacts(inner, `${at}.${member}`, facts);
  }
  if (shape.member) modelFacts(shape.member.shape, `${at}[]`, facts);
  if (shape.key) modelFacts(shape.key.shape, `${at}{key}`, facts);
  if (shape.value) modelFacts(shape.value.shape, `${at}{value}`, facts);
  return facts;
};

const ourFacts = (shape: Shape, at: string, facts: Facts): Facts => {
  const limits: { min?: number; max?: number; pattern?: string; sensitive?: true } = {
    ...(shape as object),
  };
  fact(facts, at, 'type', shape.kind);
  fact(facts, at, 'min', limits.min);
  fact(facts, at, 'max', limits.max);
  fact(facts, at, 'pattern', limits.pattern);
  fact(facts, at, 'sensitive', limits.sensitive);
  if (shape.kind === 'string') fact(facts, at, 'enum', shape.values);
  if (shape.kind === 'structure') {
    fact(facts, at, 'required', [...shape.required].sort());
    for (const [member, inner] of Object.entries(shape.members)) ourFacts(inner, `${at}.${member}`, facts);
  }
  if (shape.kind === 'list') ourFacts(shape.member, `${at}[]`, facts);
  if (shape.kind === 'map') {
    ourFacts(shape.key, `${at}{key}`, facts);
    ourFacts(shape.value, `${at}{value}`, facts);
  }
  return facts;
};

const differences = (theirs: Facts, ours: Facts): string[] =>
  [...new Set([...theirs.keys(), ...ours.keys()])].flatMap((at) => {
    const [a, b] = [theirs.get(at), ours.get(at)];
    return a === b ? [] : [`${at}: the model has ${a ?? 'none'}, this contract ${b ?? 'none'}`];
  });

const compare = (shapeName: string, ours: Shape, at: string): string[] =>
  differences(modelFacts(shapeName, at, new Map()), ourFacts(ours, at, new Map()));

/** Everything in which the contract is not the model, and why. */
const meant: Readonly<Record<string, string>> = {
  'InvokeRestApi.Path/max: the model has 64, this contract 8190':
    "Airflow's own sensors build longer paths, and no SDK checks the length",
};

const names = Object.keys(operations) as (keyof typeof operations)[];
const memberIn = (name: string, location: ModelMember['location']) =>
  Object.entries(modelShape(name).members ?? {}).filter(([, member]) => member.location === location);

test('the operations are those of the model', () => {
  expect([...names].sort()).toEqual(Object.keys(model.operations).sort());
});

test('the exceptions are those of the model, with their status and their members', () => {
  const theirs = Object.entries(model.shapes).filter(([, shape]) => shape.exception);
  expect(Object.keys(exceptions).sort()).toEqual(theirs.map(([name]) => name).sort());
  for (const [name, shape] of theirs) {
    const ours = exceptions[name as keyof typeof exceptions];
    expect([name, ours.httpStatus]).toEqual([name, shape.error?.httpStatusCode]);
    expect(compare(name, ours.body, name)).toEqual([]);
  }
});

describe.for(names)('%s', (name) => {
  const ours: OperationBinding = operations[name];
  const theirs = model.operations[name] as ModelOperation;

  test('is called as the model says', () => {
    expect({
      method: ours.method,
      uri: ours.uri,
      hostPrefix: ours.hostPrefix,
      idempotent: ours.idempotent,
      readOnly: ours.readOnly,
      deprecated: ours.deprecated,
      errors: [...ours.errors].sort(),
    }).toEqual({
      method: theirs.http.method,
      uri: theirs.http.requestUri,
      hostPrefix: theirs.endpoint.hostPrefix,
      idempotent: theirs.idempotent ?? false,
      readOnly: theirs.readonly ?? false,
      deprecated: theirs.deprecatedMessage,
      errors: theirs.errors.map(({ shape }) => shape).sort(),
    });
    expect(theirs.http.responseCode).toBe(200);
  });

  test('has its members where the model has them', () => {
    const inPath = memberIn(theirs.input.shape, 'uri').map(([, { locationName }]) => `{${locationName}}`);
    expect(ours.uri.match(/\{\w+\}/g) ?? []).toEqual(inPath);
    const inQuery = memberIn(theirs.input.shape, 'querystring');
    expect(ours.query ?? {}).toEqual(
      Object.fromEntries(inQuery.map(([member, { locationName }]) => [locationName, member])),
    );
    expect(ours.body).toBe(memberIn(theirs.input.shape, undefined).length > 0);
  });

  test('takes and gives what the model says', () => {
    const found = [
      ...compare(theirs.input.shape, ours.input, name),
      ...compare(theirs.output.shape, ours.output, `${name}Result`),
    ];
    expect(found).toEqual(Object.keys(meant).filter((text) => text.startsWith(`${name}.`)));
  });
});

describe('the comparison sees', () => {
  const input = operations.CreateEnvironment.input;
  const without = (member: string): StructureShape => {
    const { [member]: _, ...members } = input.members;
    return { ...input, members };
  };
  const seen = (shape: StructureShape) => compare('CreateEnvironmentInput', shape, 'X');

  test.for(Object.keys(input.members))('that %s is missing', (member) => {
    expect(seen(without(member)).length).toBeGreaterThan(0);
  });

  test('another limit, a member too many, one that is not required', () => {
    const name = input.members['Name'] as Shape;
    const change = (members: Readonly<Record<string, Shape>>) =>
      seen({ ...input, members: { ...input.members, ...members } });
    expect(change({ Name: { ...name, max: 81 } as Shape })).toEqual([
      'X.Name/max: the model has 80, this contract 81',
    ]);
    expect(change({ Surprise: { kind: 'boolean' } })).toEqual([
      'X.Surprise/type: the model has none, this contract boolean',
    ]);
    expect(seen({ ...input, required: input.required.slice(1) })).toHaveLength(1);
  });
});

/** Members of a request whose type or members are others in the answer, by where they are. */
const differing = (asked: string, answered: string, at: string): readonly string[] => {
  const [from, to] = [modelShape(asked), modelShape(answered)];
  if (asked === answered) return [];
  if (from.type !== to.type) return [at];
  const deeper = (a: ModelMember | undefined, b: ModelMember | undefined, there: string) =>
    a && b ? differing(a.shape, b.shape, there) : [];
  if (from.type !== 'structure')
    return [...deeper(from.member, to.member, `${at}[]`), ...deeper(from.value, to.value, `${at}{}`)];
  const [mine, theirs] = [from.members ?? {}, to.members ?? {}];
  const isSame = Object.keys(mine).sort().join() === Object.keys(theirs).sort().join();
  const inner = Object.keys(mine).flatMap((name) => deeper(mine[name], theirs[name], `${at}.${name}`));
  return isSame ? inner : [at, ...inner];
};

describe('members that are answered in another form than they are given', () => {
  const logs = ['DagProcessing', 'Scheduler', 'Webserver', 'Worker', 'Task'].map(
    (module) => `LoggingConfiguration.${module}Logs`,
  );
  test.each([
    ['CreateEnvironmentInput', logs],
    ['UpdateEnvironmentInput', [...logs, 'NetworkConfiguration', 'Teams']],
  ])('%s: these, each of which GetEnvironment has a rule for', (input, expected) => {
    const asked = modelShape(input).members ?? {};
    const answered = modelShape('Environment').members ?? {};
    const found = Object.keys(asked).flatMap((name) => {
      const [a, b] = [asked[name], answered[name]];
      return a && b ? differing(a.shape, b.shape, name) : [];
    });
    expect([...found].sort()).toEqual([...expected].sort());
  });
});
