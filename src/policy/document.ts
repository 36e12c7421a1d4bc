import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { MalformedPolicy, type Position } from './malformed.ts';

/** A value of the document with its place. */
export interface Value {
  readonly node: Node;
  /** Of the element that holds it, for instance `Statement[2].Action`. */
  readonly name: string;
}

/** Deeper than any policy; a bound on recursion. */
const deepest = 16;
/** The bound of IAM's model, white space and all. */
const longest = 131_072;
/** Characters without white space: IAM's longest document has 10,240, a resource policy of S3 20 KiB. */
const mostText = 20_480;

const depthOf = (text: string): number => {
  let [depth, most, inText] = [0, 0, false];
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i];
    if (inText) {
      if (c === '\\') i += 1;
      else if (c === '"') inText = false;
    } else if (c === '"') inText = true;
    else if (c === '{' || c === '[') {
      depth += 1;
      most = Math.max(most, depth);
    } else if (c === '}' || c === ']') depth -= 1;
  }
  return most;
};

/** A JSON document whose values know where they stand. */
export class Document {
  readonly root: Value;
  readonly #text: string;
  #lines: readonly number[] | undefined;

  /** Throws MalformedPolicy for what is not JSON (RFC 8259), is too long, too deep, or says a key twice. */
  constructor(text: string) {
    this.#text = text;
    if (text.length > longest)
      throw this.fault('Syntax errors in policy.', 0, `it is longer than ${longest} characters`);
    if (text.replaceAll(/\s/g, '').length > mostText)
      throw this.fault(
        'Syntax errors in policy.',
        0,
        `it has more than ${mostText} characters without white space`,
      );
    if (depthOf(text) > deepest) throw this.fault('Syntax errors in policy.', 0, 'it is nested too deeply');
    const errors: ParseError[] = [];
    const node = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
    const [first] = errors;
    if (first) throw this.fault('Syntax errors in policy.', first.offset, jsonHelp(first));
    if (!node) throw this.fault('Syntax errors in policy.', 0, 'it is empty');
    this.root = { node, name: 'policy' };
    this.#checkKeys(node);
  }

  position(offset: number): Position {
    this.#lines ??= lineStarts(this.#text);
    const line = lastAtMost(this.#lines, offset);
    return { line: line + 1, column: offset - (this.#lines[line] ?? 0) + 1 };
  }

  start({ node }: Value): Position {
    return this.position(node.offset);
  }

  end({ node }: Value): Position {
    return this.position(node.offset + node.length);
  }

  fault(message: string, at: Value | number, help = ''): MalformedPolicy {
    return new MalformedPolicy(message, this.position(typeof at === 'number' ? at : at.node.offset), help);
  }

  /** The members of an object by their names; throws MalformedPolicy for anything else. */
  members(value: Value): ReadonlyMap<string, Value> {
    if (value.node.type !== 'object')
      throw this.fault('Syntax errors in policy.', value, `${value.name} must be an object`);
    return new Map(
      (value.node.children ?? []).map(({ children = [] }) => {
        const key = String(children[0]?.value);
        const name = value.name === 'policy' ? key : `${value.name}.${key}`;
        return [key, { node: children[1] ?? value.node, name }];
      }),
    );
  }

  /** The items of an array, or the one value that stands for it. */
  items(value: Value): readonly Value[] {
    if (value.node.type !== 'array') return [value];
    return (value.node.children ?? []).map((node, i) => ({ node, name: `${value.name}[${i + 1}]` }));
  }

  /** Throws MalformedPolicy for what is no text. */
  text(value: Value): string {
    if (value.node.type !== 'string')
      throw this.fault('Syntax errors in policy.', value, `${value.name} must be text in quotation marks`);
    return String(value.node.value);
  }

  /** Texts of an array, or one text. Throws MalformedPolicy. */
  texts(value: Value): readonly string[] {
    return this.items(value).map((item) => this.text(item));
  }

  #checkKeys(node: Node): void {
    if (node.type === 'object') {
      const seen = new Set<string>();
      for (const { children = [] } of node.children ?? []) {
        const key = String(children[0]?.value);
        if (seen.has(key))
          throw this.fault('Syntax errors in policy.', children[0]?.offset ?? 0, `${key} is there twice`);
        seen.add(key);
      }
    }
    for (const child of node.children ?? []) this.#checkKeys(child);
  }
}

const jsonHelp = ({ error }: ParseError): string =>
  printParseErrorCode(error)
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();

/** The last of some rising numbers, of which the first is 0, that is not greater; halving, for a statement asks it twice. */
const lastAtMost = (numbers: readonly number[], most: number): number => {
  let [low, high] = [0, numbers.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? 0) <= most) low = middle;
    else high = middle;
  }
  return low;
};

const lineStarts = (text: string): readonly number[] => {
  const starts = [0];
  for (let i = 0; i < text.length; i += 1) if (text[i] === '\n') starts.push(i + 1);
  return starts;
};
