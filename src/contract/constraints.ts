import { integerFaults, listFaults, mapFaults, stringFaults } from './constraint-faults.ts';
import { serializationException, validationException } from './errors.ts';
import type { ListShape, MapShape, Shape, StructureShape } from './shape.ts';

/** A value of the model after checking: unknown members are dropped, null counts as absent. */
export type Checked = Readonly<Record<string, unknown>>;

const typeNames = {
  string: 'String',
  integer: 'Integer',
  double: 'Double',
  timestamp: 'Timestamp',
  boolean: 'Boolean',
  list: 'List',
  map: 'Map',
  structure: 'Structure',
  document: 'Document',
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

/** What is wrong, as far as it is told. */
interface Faults {
  count: number;
  readonly texts: string[];
}

/** A request can have as many faults as it has members: these are told, the others counted. */
const mostFaults = 50;

const add = (faults: Faults, text: string): void => {
  faults.count += 1;
  if (faults.texts.length < mostFaults) faults.texts.push(text);
};

const report = (
  faults: Faults,
  path: string,
  value: unknown,
  found: readonly string[],
  sensitive = false,
) => {
  if (found.length === 0) return;
  const shown = sensitive ? 'Value' : `Value ${printed(value)}`;
  for (const fault of found) add(faults, `${shown} at '${path}' failed to satisfy constraint: ${fault}`);
};

/** A list or a map holds no null: it is told from a member that is absent. */
const checkInner = (value: unknown, shape: Shape, path: string, inner: string, faults: Faults): unknown => {
  if (value === null) throw wrongType({}, shape.kind, path);
  // What text violates is told of the whole list or map, once.
  return checkValue(
    value,
    shape,
    shape.kind === 'string' ? path : inner,
    shape.kind === 'string' ? { count: 0, texts: [] } : faults,
  );
};

const checkList = (value: unknown, shape: ListShape, path: string, faults: Faults): unknown => {
  if (!Array.isArray(value)) throw wrongType(value, 'list', path);
  const list = value.map((member, i) =>
    checkInner(member, shape.member, path, `${path}.${i + 1}.member`, faults),
  );
  report(faults, path, list, listFaults(list, shape));
  return list;
};

const checkMap = (value: unknown, shape: MapShape, path: string, faults: Faults): unknown => {
  if (!isObject(value)) throw wrongType(value, 'map', path);
  const map: Record<string, unknown> = Object.fromEntries(
    Object.entries(value).map(([key, v]) => [
      key,
      checkInner(v, shape.value, path, `${path}.${key.slice(0, 100)}.member`, faults),
    ]),
  );
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
      add(faults, `Value null at '${at}' failed to satisfy constraint: Member must not be null`);
    }
  }
  return checked;
};

/** How rest-json writes the doubles that JSON has no number for. */
const notNumbers: readonly unknown[] = ['NaN', 'Infinity', '-Infinity'];

const checkValue = (value: unknown, shape: Shape, path: string, faults: Faults): unknown => {
  switch (shape.kind) {
    case 'structure':
      return checkStructure(value, shape, path, faults);
    case 'map':
      return checkMap(value, shape, path, faults);
    case 'list':
      return checkList(value, shape, path, faults);
    case 'document':
      return value;
    case 'string':
      if (typeof value !== 'string') throw wrongType(value, 'string', path);
      report(faults, path, value, stringFaults(value, shape), shape.sensitive);
      return value;
    case 'integer':
      if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(value, 'integer', path);
      report(faults, path, value, integerFaults(value, shape));
      return value;
    case 'double':
      if (typeof value !== 'number' && !notNumbers.includes(value)) throw wrongType(value, 'double', path);
      return value;
    case 'timestamp':
      if (typeof value !== 'number') throw wrongType(value, 'timestamp', path);
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
  const faults: Faults = { count: 0, texts: [] };
  const checked = checkStructure(value, shape, '', faults);
  if (faults.count === 0) return checked;
  const errors = faults.count === 1 ? '1 validation error' : `${faults.count} validation errors`;
  throw validationException(`${errors} detected: ${faults.texts.join('; ')}`);
};

const isSensitive = (shape: Shape | undefined): boolean =>
  shape !== undefined && 'sensitive' in shape && shape.sensitive === true;

const mostNames = 100;

/** The names of an object's members: the first hundred, the long ones cut. */
const namesOf = (value: unknown): unknown => {
  if (!isObject(value)) return '***';
  const names = Object.keys(value);
  const shown = names.slice(0, mostNames).map((name) => name.slice(0, 200));
  return names.length <= mostNames ? shown : [...shown, `and ${names.length - mostNames} more`];
};

const recorded = (shape: Shape | undefined, value: unknown): unknown => {
  if (isSensitive(shape)) return '***';
  return shape?.kind === 'document' && shape.namesOnly ? namesOf(value) : value;
};

/** The value with every sensitive member replaced by `***`, as CloudTrail shows it. */
export const redact = (shape: StructureShape, value: Checked): Checked =>
  Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, recorded(shape.members[name], member)]),
  );
