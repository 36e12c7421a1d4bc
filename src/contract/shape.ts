/** The forms that a value of the MWAA model can have; `constraints.ts` checks values against them. */
export type Shape =
  | StringShape
  | IntegerShape
  | DoubleShape
  | TimestampShape
  | BooleanShape
  | DocumentShape
  | ListShape
  | MapShape
  | StructureShape;

export interface StringShape {
  readonly kind: 'string';
  readonly min?: number;
  readonly max?: number;
  /** Must match the whole string. */
  readonly pattern?: string;
  readonly values?: readonly string[];
  /** Never echoed in an error nor written to the audit log; so with the other shapes that have it. */
  readonly sensitive?: true;
}
export interface IntegerShape {
  readonly kind: 'integer';
  readonly min?: number;
  readonly max?: number;
}
/** A number, or `"NaN"`, `"Infinity"`, `"-Infinity"`. */
export interface DoubleShape {
  readonly kind: 'double';
}
/** Seconds since 1970, fractions allowed. */
export interface TimestampShape {
  readonly kind: 'timestamp';
}
export interface BooleanShape {
  readonly kind: 'boolean';
}
/** Any JSON. */
export interface DocumentShape {
  readonly kind: 'document';
  /** The audit log has the names of its members alone. */
  readonly namesOnly?: true;
  readonly sensitive?: true;
}
export interface ListShape {
  readonly kind: 'list';
  readonly member: Shape;
  readonly min?: number;
  readonly max?: number;
}
export interface MapShape {
  readonly kind: 'map';
  readonly key: StringShape;
  readonly value: Shape;
  readonly min?: number;
  readonly max?: number;
  readonly sensitive?: true;
}
export interface StructureShape {
  readonly kind: 'structure';
  readonly required: readonly string[];
  readonly members: Readonly<Record<string, Shape>>;
}

/** Text of 1 to `max` characters. */
export const text = (max: number, pattern?: string): StringShape => ({
  kind: 'string',
  min: 1,
  max,
  ...(pattern === undefined ? {} : { pattern }),
});

/** Text that may be empty. */
export const maybeEmpty = (max: number, pattern?: string): StringShape => ({ ...text(max, pattern), min: 0 });

export const anyText: StringShape = { kind: 'string' };
export const anyInteger: IntegerShape = { kind: 'integer' };

export const atLeast = (min: number): IntegerShape => ({ kind: 'integer', min });

export const oneOf = (...values: readonly string[]): StringShape => ({ kind: 'string', values });

/** A structure, some of whose members must be there. */
export const structure = (
  members: Readonly<Record<string, Shape>>,
  required: readonly string[] = [],
): StructureShape => ({ kind: 'structure', required, members });
