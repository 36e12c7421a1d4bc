import type { IntegerShape, ListShape, MapShape, StringShape } from './shape.ts';

/** What is wrong with a value of the right JSON type, in the words that AWS services have for it. */

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

export const stringFaults = (value: string, shape: StringShape): string[] => {
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

export const integerFaults = (value: number, shape: IntegerShape): string[] => [
  ...(shape.min !== undefined && value < shape.min
    ? [`Member must have value greater than or equal to ${shape.min}`]
    : []),
  ...(shape.max !== undefined && value > shape.max
    ? [`Member must have value less than or equal to ${shape.max}`]
    : []),
];

/** Each distinct fault once: a list of a hundred wrong names gives one sentence. */
const innerFaults = (values: readonly string[], shape: StringShape): string =>
  [...new Set(values.flatMap((value) => stringFaults(value, shape)))].join(', ');

const wrapped = (what: string, inner: string): string[] =>
  inner === '' ? [] : [`${what} must satisfy constraint: [${inner}]`];

/** Of the size, and of the members where they are text. */
export const listFaults = (value: readonly unknown[], shape: ListShape): string[] => [
  ...sizeFaults(value.length, shape),
  ...(shape.member.kind === 'string'
    ? wrapped('Member', innerFaults(value as readonly string[], shape.member))
    : []),
];

/** Of the size and the keys, and of the values where they are text. */
export const mapFaults = (value: Readonly<Record<string, unknown>>, shape: MapShape): string[] => [
  ...sizeFaults(Object.keys(value).length, shape),
  ...wrapped('Map keys', innerFaults(Object.keys(value), shape.key)),
  ...(shape.value.kind === 'string'
    ? wrapped('Map value', innerFaults(Object.values(value) as string[], shape.value))
    : []),
];
