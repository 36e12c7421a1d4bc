import { serializationException, validationException } from './errors.ts';
import type { IntegerShape, ListShape, MapShape, Shape, StringShape, StructureShape } from './shapes.ts';

/** A value of the model after checking: unknown members are dropped, null counts as absent. */
export type Checked = Readonly<Record<string, unknown>>;

const patterns = new Map<string, RegExp>();
const wholeMatch = (pattern: string, value: string): boolean => {
  let expression = patterns.get(pattern);
  if (!expression) {
    expression = new RegExp(`^(?:${pattern})$`, 'u');
    patterns.set(pattern, expression);
  }
  return expression.test(value);
};

const sizeFaults = (size: number, shape: { min?: number; max?: number }): string[] => [
  ...(shape.min !== undefined && size < shape.min
    ? [`Member must have length greater than or equal to ${shape.min}`]
    : []),
  ...(shape.max !== undefined && size > shape.max
    ? [`Member must have length less than or equal to ${shape.max}`]
    : []),
];

const stringFaults = (value: string, shape: StringShape): string[] => {
  const faults = sizeFaults(value.length, shape);
  if (shape.values && !shape.values.includes(value)) {
    faults.push(`Member must satisfy enum value set: [${shape.values.join(', ')}]`);
  }
  // A pattern is only tried on a string of allowed length: no expression meets a megabyte.
  const tooLong = shape.max !== undefined && value.length > shape.max;
  if (shape.pattern !== undefined && !tooLong && !wholeMatch(shape.pattern, value)) {
    faults.push(`Member must satisfy regular expression pattern: ${shape.pattern}`);
  }
  return faults;
};

const integerFaults = (value: number, shape: IntegerShape): string[] => [
  ...(shape.min !== undefined && value < shape.min
    ? [`Member must have value greater than or equal to ${shape.min}`]
    : []),
  ...(shape.max !== undefined && value > shape.max
    ? [`Member must have value less than or equal to ${shape.max}`]
    : []),
];

const listFaults = (value: readonly string[], shape: ListShape): string[] => {
  const inner = new Set(value.flatMap((member) => stringFaults(member, shape.member)));
  return [
    ...sizeFaults(value.length, shape),
    ...(inner.size > 0 ? [`Member must satisfy constraint: [${[...inner].join(', ')}]`] : []),
  ];
};

const mapFaults = (value: Readonly<Record<string, string>>, shape: MapShape): string[] => {
  const keys = new Set(Object.keys(value).flatMap((key) => stringFaults(key, shape.key)));
  const values = new Set(Object.values(value).flatMap((v) => stringFaults(v, shape.value)));
  return [
    ...sizeFaults(Object.keys(value).length, shape),
    ...(keys.size > 0 ? [`Map keys must satisfy constraint: [${[...keys].join(', ')}]`] : []),
    ...(values.size > 0 ? [`Map value must satisfy constraint: [${[...values].join(', ')}]`] : []),
  ];
};

const typeNames = {
  string: 'String',
  integer: 'Integer',
  boolean: 'Boolean',
  list: 'List',
  map: 'Map',
  structure: 'Structure',
};

const tokenOf = (value: unknown): string => {
  if (typeof value === 'string') return 'STRING_VALUE';
  if (typeof value === 'boolean') return value ? 'TRUE_VALUE' : 'FALSE_VALUE';
  if (typeof value === 'number') return Number.isInteger(value) ? 'NUMBER_VALUE' : 'DECIMAL_VALUE';
  return Array.isArray(value) ? 'START_ARRAY' : 'START_OBJECT';
};

const wrongType = (value: unknown, kind: Shape['kind'], path: string) =>
  serializationException(
    `${tokenOf(value)} cannot be converted to ${typeNames[kind]} at '${path || 'body'}'`,
  );

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** AWS names members in its errors with a small first letter. */
const memberPath = (path: string, member: string): string => {
  const name = member.charAt(0).toLowerCase() + member.slice(1);
  return path === '' ? name : `${path}.${name}`;
};

/** As AWS prints a value in an error: `'text'`, `'[a, b]'`; long ones are cut. */
const printed = (value: unknown): string => {
  const plain = Array.isArray(value)
    ? `[${value.join(', ')}]`
    : isObject(value)
      ? JSON.stringify(value)
      : String(value);
  return `'${plain.length > 200 ? `${plain.slice(0, 200)}...` : plain}'`;
};

type Faults = string[];

const report = (
  faults: Faults,
  path: string,
  value: unknown,
  found: readonly string[],
  sensitive = false,
) => {
  const shown = sensitive ? 'Value' : `Value ${printed(value)}`;
  for (const fault of found) faults.push(`${shown} at '${path}' failed to satisfy constraint: ${fault}`);
};

const stringMember = (value: unknown, path: string): string => {
  if (typeof value !== 'string') throw wrongType(value ?? {}, 'string', path);
  return value;
};

const checkMap = (value: unknown, shape: MapShape, path: string, faults: Faults): unknown => {
  if (!isObject(value)) throw wrongType(value, 'map', path);
  const entries = Object.entries(value).map(([k, v]) => [k, stringMember(v, path)] as const);
  const map: Record<string, string> = Object.fromEntries(entries);
  report(faults, path, map, mapFaults(map, shape), shape.sensitive);
  return map;
};

const checkStructure = (value: unknown, shape: StructureShape, path: string, faults: Faults): Checked => {
  if (!isObject(value)) throw wrongType(value, 'structure', path);
  const checked: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(shape.members)) {
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    const at = memberPath(path, name);
    if (given !== undefined && given !== null) checked[name] = checkValue(given, member, at, faults);
    else if (shape.required.includes(name)) {
      faults.push(`Value null at '${at}' failed to satisfy constraint: Member must not be null`);
    }
  }
  return checked;
};

const checkValue = (value: unknown, shape: Shape, path: string, faults: Faults): unknown => {
  switch (shape.kind) {
    case 'structure':
      return checkStructure(value, shape, path, faults);
    case 'map':
      return checkMap(value, shape, path, faults);
    case 'list': {
      if (!Array.isArray(value)) throw wrongType(value, 'list', path);
      const list = value.map((member) => stringMember(member, path));
      report(faults, path, list, listFaults(list, shape));
      return list;
    }
    case 'string':
      if (typeof value !== 'string') throw wrongType(value, 'string', path);
      report(faults, path, value, stringFaults(value, shape));
      return value;
    case 'integer':
      if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(value, 'integer', path);
      report(faults, path, value, integerFaults(value, shape));
      return value;
    case 'boolean':
      if (typeof value !== 'boolean') throw wrongType(value, 'boolean', path);
      return value;
  }
};

/**
 * Checks a request against its shape and returns what the shape knows of it.
 * Throws SerializationException at the first value of a wrong JSON type, else one ValidationException
 * with every violated constraint, worded as AWS services word it.
 */
export const validate = (shape: StructureShape, value: unknown): Checked => {
  const faults: Faults = [];
  const checked = checkStructure(value, shape, '', faults);
  if (faults.length === 0) return checked;
  const errors = faults.length === 1 ? '1 validation error' : `${faults.length} validation errors`;
  throw validationException(`${errors} detected: ${faults.join('; ')}`);
};

/** The value with every sensitive member replaced by `***`, as CloudTrail shows it. */
export const redact = (shape: StructureShape, value: Checked): Checked =>
  Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      const known = shape.members[name];
      return [name, known?.kind === 'map' && known.sensitive ? '***' : member];
    }),
  );
