import { readFileSync } from 'node:fs';
import type { Shape, StructureShape } from './shape.ts';

interface ModelShape {
  readonly type: string;
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly sensitive?: boolean;
  readonly required?: readonly string[];
  readonly members?: Readonly<Record<string, { readonly shape: string }>>;
  readonly member?: { readonly shape: string };
  readonly key?: { readonly shape: string };
  readonly value?: { readonly shape: string };
}

interface ModelFile {
  readonly apiVersion: string;
  readonly xmlNamespace: string;
  readonly operations: Readonly<
    Record<
      string,
      {
        readonly input?: { readonly shape: string };
        readonly output?: { readonly shape: string; readonly resultWrapper?: string };
      }
    >
  >;
  readonly shapes: Readonly<Record<string, ModelShape>>;
}

/** One operation of a service that speaks the query protocol. */
export interface QueryOperation {
  readonly name: string;
  readonly input: StructureShape;
  readonly output: StructureShape;
  /** The element around the answer; undefined when there is no answer. */
  readonly resultWrapper: string | undefined;
  /** What CloudTrail calls read-only. */
  readonly readOnly: boolean;
}

/** What Windsock speaks of a service, read from AWS's own model of it. */
export interface QueryService {
  readonly name: string;
  readonly apiVersion: string;
  readonly xmlNamespace: string;
  readonly operations: ReadonlyMap<string, QueryOperation>;
}

const isReadOnly = (name: string): boolean => /^(?:Get|List|Simulate)/.test(name);
const nothing: StructureShape = { kind: 'structure', required: [], members: {} };

const limitsOf = ({ min, max, pattern }: ModelShape) => ({
  ...(min === undefined ? {} : { min }),
  ...(max === undefined ? {} : { max }),
  ...(pattern === undefined ? {} : { pattern }),
});

const shapeReader = (shapes: ModelFile['shapes']) => {
  const known = new Map<string, Shape>();
  const read = (name: string): Shape => {
    const before = known.get(name);
    if (before) return before;
    const shape = make(name);
    known.set(name, shape);
    return shape;
  };
  const make = (name: string): Shape => {
    const model = shapes[name];
    if (!model) throw new Error(`the model has no shape ${name}`);
    const limits = limitsOf(model);
    switch (model.type) {
      case 'structure': {
        const members = Object.entries(model.members ?? {}).map(([member, m]) => [member, read(m.shape)]);
        return {
          kind: 'structure',
          required: model.required ?? [],
          members: Object.fromEntries(members) as Record<string, Shape>,
        };
      }
      case 'list':
        return { kind: 'list', member: read(model.member?.shape ?? ''), ...limits };
      case 'map': {
        const key = read(model.key?.shape ?? '');
        if (key.kind !== 'string') throw new Error(`the keys of ${name} are no text`);
        return { kind: 'map', key, value: read(model.value?.shape ?? ''), ...limits };
      }
      case 'string':
        return {
          kind: 'string',
          ...limits,
          ...(model.enum ? { values: model.enum } : {}),
          ...(model.sensitive ? { sensitive: true as const } : {}),
        };
      case 'integer':
      case 'boolean':
      case 'timestamp':
        return { kind: model.type, ...limits };
      default:
        throw new Error(`the model has a shape of type ${model.type}: ${name}`);
    }
  };
  return (name: string | undefined): StructureShape => {
    const shape = name === undefined ? nothing : read(name);
    if (shape.kind !== 'structure') throw new Error(`${name} is no structure`);
    return shape;
  };
};

const load = (name: string): QueryService => {
  const text = readFileSync(new URL(`./models/${name}.json`, import.meta.url), 'utf8');
  const file = JSON.parse(text) as ModelFile;
  const read = shapeReader(file.shapes);
  const operations = Object.entries(file.operations).map(([operation, { input, output }]) => [
    operation,
    {
      name: operation,
      input: read(input?.shape),
      output: read(output?.shape),
      resultWrapper: output?.resultWrapper,
      readOnly: isReadOnly(operation),
    },
  ]);
  const { apiVersion, xmlNamespace } = file;
  return {
    name,
    apiVersion,
    xmlNamespace,
    operations: new Map(operations as [string, QueryOperation][]),
  };
};

/** AWS Identity and Access Management, 2010-05-08. */
export const iamService = load('iam');
/** AWS Security Token Service, 2011-06-15. */
export const stsService = load('sts');

/** The operation of a served service; throws when the model does not have it. */
export const queryOperation = (service: QueryService, name: string): QueryOperation => {
  const found = service.operations.get(name);
  if (!found) throw new Error(`${service.name} has no operation ${name}`);
  return found;
};
