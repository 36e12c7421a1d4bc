import { unescape as decoded } from 'node:querystring';
import { serializationException } from '../contract/errors.ts';
import type { ListShape, MapShape, Shape, StructureShape } from '../contract/shape.ts';

/** Parameters beyond this many are refused: the largest request of IAM has some hundred. */
const mostParameters = 2_000;
const deepest = 12;

interface Node {
  value?: string;
  readonly children: Map<string, Node>;
}

const newNode = (): Node => ({ children: new Map() });

const malformed = (text: string) => serializationException(text);

const textOf = (body: Uint8Array): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw malformed('The request is not valid UTF-8.');
  }
};

const [plus, blank] = [0x2b, 0x20];

/** In a form `+` stands for a blank. */
const withBlanks = (body: Uint8Array): Uint8Array => body.map((byte) => (byte === plus ? blank : byte));

/**
 * Names and values of a form (WHATWG URL, "application/x-www-form-urlencoded parsing"). Whoever sends it is not known
 * yet, and URLSearchParams takes seconds for a megabyte of `a&`: parameters are counted before they are read.
 */
const parametersOf = (body: Uint8Array): readonly (readonly [name: string, value: string])[] => {
  const pieces = textOf(withBlanks(body)).split('&', mostParameters + 1);
  if (pieces.length > mostParameters)
    throw malformed(`The request has more than ${mostParameters} parameters.`);
  return pieces
    .filter((piece) => piece !== '')
    .map((piece) => {
      const at = piece.indexOf('=');
      return at < 0 ? [decoded(piece), ''] : [decoded(piece.slice(0, at)), decoded(piece.slice(at + 1))];
    });
};

/** `Tags.member.1.Key=a` as a tree. */
const treeOf = (parameters: readonly (readonly [name: string, value: string])[]): Node => {
  const root = newNode();
  for (const [name, value] of parameters) {
    const pieces = name.split('.', deepest + 1);
    if (pieces.length > deepest) throw malformed(`The parameter ${name.slice(0, 100)} is nested too deeply.`);
    let node = root;
    for (const piece of pieces) {
      const next = node.children.get(piece) ?? newNode();
      node.children.set(piece, next);
      node = next;
    }
    if (node.value !== undefined)
      throw malformed(`The parameter ${name.slice(0, 100)} is given more than once.`);
    node.value = value;
  }
  return root;
};

const numbered = (node: Node | undefined, at: string): readonly Node[] => {
  if (!node) return [];
  const entries = [...node.children].map(([key, child]) => {
    if (!/^[1-9]\d{0,4}$/.test(key))
      throw malformed(`The members of ${at} are numbered from 1, not '${key}'.`);
    return [Number(key), child] as const;
  });
  return entries.sort(([a], [b]) => a - b).map(([, child]) => child);
};

/** An empty list is written as its name alone. */
const listOf = (node: Node, shape: ListShape, at: string): unknown[] =>
  numbered(node.children.get('member'), at).map((child) => read(child, shape.member, at));

const mapOf = (node: Node, shape: MapShape, at: string): Record<string, unknown> =>
  Object.fromEntries(
    numbered(node.children.get('entry'), at).map((entry) => [
      entry.children.get('key')?.value ?? '',
      read(entry.children.get('value') ?? newNode(), shape.value, at),
    ]),
  );

/** A value that is no number or no boolean stays text, for the validator to refuse. */
const scalarOf = (text: string, kind: Shape['kind']): unknown => {
  if (kind === 'integer' && /^-?\d{1,9}$/.test(text)) return Number(text);
  if (kind === 'boolean' && /^(?:true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  return text;
};

const structureOf = (node: Node, shape: StructureShape, at: string): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(shape.members).flatMap(([name, member]) => {
      const child = node.children.get(name);
      return child === undefined ? [] : [[name, read(child, member, at === '' ? name : `${at}.${name}`)]];
    }),
  );

const read = (node: Node, shape: Shape, at: string): unknown => {
  if (shape.kind === 'list') return listOf(node, shape, at);
  if (shape.kind === 'map') return mapOf(node, shape, at);
  if (shape.kind === 'structure') return structureOf(node, shape, at);
  return scalarOf(node.value ?? '', shape.kind);
};

/** The form of a request in the query protocol. */
export interface QueryForm {
  /** The parameter Action; '' when there is none. */
  readonly action: string;
  readonly version: string;
  /** The members that the shape knows. Throws SerializationException. */
  members(shape: StructureShape): Record<string, unknown>;
}

/** Reads a form (AWS query protocol: `Action`, `Version`, and members by dotted names). Throws SerializationException. */
export const readForm = (body: Uint8Array): QueryForm => {
  const root = treeOf(parametersOf(body));
  const single = (name: string) => root.children.get(name)?.value ?? '';
  return {
    action: single('Action'),
    version: single('Version'),
    members: (shape) => structureOf(root, shape, ''),
  };
};
