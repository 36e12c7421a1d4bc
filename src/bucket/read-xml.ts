import { SaxesParser } from 'saxes';
import type { AwsError } from '../contract/errors.ts';
import { s3Error } from '../contract/s3-errors.ts';
import { slices } from '../lib/turns.ts';

/** An element without its attributes; none that S3 reads has any but its namespace. */
export interface XmlElement {
  readonly name: string;
  /** All text right in the element, white space as it is. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

/** Enough for 10,000 parts with their checksums, and for 1,000 keys of 1,024 bytes. */
export const mostXmlBytes = 2 * 2 ** 20;
/** For the settings of a bucket, and the tags of an object. */
const fewElements = 100;
const mostDepth = 8;
/** Takes a few milliseconds, also when it is nothing but elements. */
const bytesAtOnce = 4 * 1024;

/** S3's own text for whatever it cannot read. */
export const malformedXml = (cause?: unknown): AwsError =>
  s3Error(
    'MalformedXML',
    'The XML you provided was not well-formed or did not validate against our published schema',
    cause === undefined ? {} : { cause },
  );

interface OpenElement {
  readonly name: string;
  text: string;
  readonly children: OpenElement[];
}

const refuse = (): never => {
  throw malformedXml();
};

interface Tree {
  readonly open: (name: string) => void;
  readonly text: (text: string) => void;
  readonly close: () => void;
  readonly root: () => XmlElement | undefined;
}

const createTree = (mostElements: number): Tree => {
  const document: OpenElement = { name: '', text: '', children: [] };
  const path = [document];
  let count = 0;
  return {
    open: (name) => {
      count += 1;
      if (count > mostElements || path.length > mostDepth) refuse();
      const element = { name, text: '', children: [] };
      path.at(-1)?.children.push(element);
      path.push(element);
    },
    text: (text) => {
      const element = path.at(-1);
      if (element) element.text += text;
    },
    close: () => {
      path.pop();
    },
    root: () => document.children[0],
  };
};

/** Has the parser tell the tree; no DTD, so no entities but the five of XML; only XML 1.0 in UTF-8. */
const createParser = (tree: Tree): SaxesParser => {
  const parser = new SaxesParser({ xmlns: false, position: false });
  parser.on('xmldecl', ({ version, encoding = 'utf-8' }) => {
    if (version !== '1.0' || encoding.toLowerCase() !== 'utf-8') refuse();
  });
  parser.on('doctype', refuse);
  parser.on('processinginstruction', refuse);
  parser.on('opentagstart', ({ name }) => tree.open(name));
  parser.on('text', tree.text);
  parser.on('cdata', tree.text);
  parser.on('closetag', tree.close);
  parser.on('error', (error) => {
    throw malformedXml(error);
  });
  return parser;
};

/** UTF-8 in pieces; the last one is told by giving none. */
const createDecoder = (): ((piece?: Uint8Array) => string) => {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  return (piece) => {
    try {
      return decoder.decode(piece, { stream: piece !== undefined });
    } catch (error) {
      throw malformedXml(error);
    }
  };
};

const parse = async (body: Uint8Array, mostElements: number): Promise<XmlElement | undefined> => {
  const tree = createTree(mostElements);
  const parser = createParser(tree);
  const decode = createDecoder();
  const pause = slices();
  for (let at = 0; at < body.length; at += bytesAtOnce) {
    await pause();
    parser.write(decode(body.subarray(at, at + bytesAtOnce)));
  }
  parser.write(decode());
  parser.close();
  return tree.root();
};

/** Reads the XML of a request, with bounds on its size, depth and elements. @throws MalformedXML */
export const readXml = async (body: Uint8Array, mostElements = fewElements): Promise<XmlElement> => {
  if (body.length > mostXmlBytes) throw malformedXml();
  const root = await parse(body, mostElements);
  if (!root) throw malformedXml();
  return root;
};
