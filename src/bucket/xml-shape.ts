import { malformedXml, type XmlElement } from './read-xml.ts';

/** The children of an element that holds nothing else, by name; each name is one of those given. @throws MalformedXML */
export const membersOf = <Name extends string>(
  { text, children }: XmlElement,
  names: readonly Name[],
): ((name: Name) => readonly XmlElement[]) => {
  const known = new Set<string>(names);
  if (text.trim() !== '' || children.some(({ name }) => !known.has(name))) throw malformedXml();
  return (name) => children.filter((child) => child.name === name);
};

/** The text of an element without children. @throws MalformedXML */
const textOf = ({ text, children }: XmlElement): string => {
  if (children.length > 0) throw malformedXml();
  return text;
};

/** The text of what may be there once. @throws MalformedXML */
export const optionalText = (found: readonly XmlElement[]): string | undefined => {
  const [first] = found;
  if (found.length > 1) throw malformedXml();
  return first && textOf(first);
};

/** The text of what is there once. @throws MalformedXML */
export const requiredText = (found: readonly XmlElement[]): string => {
  const text = optionalText(found);
  if (text === undefined) throw malformedXml();
  return text;
};

/** `true` or `false`, also in capitals; false when it is not there. @throws MalformedXML */
export const optionalBoolean = (found: readonly XmlElement[]): boolean => {
  const text = optionalText(found)?.trim().toLowerCase() ?? 'false';
  if (text !== 'true' && text !== 'false') throw malformedXml();
  return text === 'true';
};

/** An element with that name. @throws MalformedXML */
export const named = (element: XmlElement, name: string): XmlElement => {
  if (element.name !== name) throw malformedXml();
  return element;
};

/** An ETag without the quotes that most clients give it. */
export const plainEtag = (text: string): string => /^"(.*)"$/.exec(text.trim())?.[1] ?? text.trim();
