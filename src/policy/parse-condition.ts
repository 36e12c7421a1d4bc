import type { Condition, Quantifier } from './condition.ts';
import type { Document, Value } from './document.ts';
import { operators } from './operators.ts';
import { type Template, templateOf } from './variables.ts';

const quantifiers: Readonly<Record<string, Quantifier>> = {
  forallvalues: 'for-all-values',
  foranyvalue: 'for-any-value',
};

interface OperatorName {
  readonly base: string;
  readonly quantifier: Quantifier;
  readonly ifExists: boolean;
}

/** `ForAllValues:StringLikeIfExists`, in any spelling; undefined when there is no such operator. */
const readName = (text: string): OperatorName | undefined => {
  const [, prefix, base = '', ifExists] =
    /^(?:([a-z]+):)?([a-z]+?)(ifexists)?$/.exec(text.toLowerCase()) ?? [];
  const quantifier = prefix === undefined ? 'single' : quantifiers[prefix];
  if (quantifier === undefined || (base !== 'null' && !operators.has(base))) return undefined;
  if (base === 'null' && (prefix !== undefined || ifExists !== undefined)) return undefined;
  return { base, quantifier, ifExists: ifExists !== undefined };
};

/** Booleans and numbers may stand without quotation marks. */
const valueText = (doc: Document, value: Value): string => {
  const { type, value: given } = value.node;
  if (type === 'boolean' || type === 'number') return String(given);
  return doc.text(value);
};

/** How a policy is read: whether `${…}` is a variable, and whether it was taken already, maybe by other rules. */
interface Reading {
  readonly withVariables: boolean;
  readonly isStored: boolean;
}

const templates = (
  doc: Document,
  value: Value,
  { base }: OperatorName,
  { withVariables, isStored }: Reading,
): readonly Template[] =>
  doc.items(value).map((item) => {
    const text = valueText(doc, item);
    const takes = isStored ? undefined : operators.get(base)?.takes;
    // never equal to anything, an address with a slip would allow everybody in NotIpAddress
    if (takes && !(withVariables && text.includes('${')) && !takes.test(text))
      throw doc.fault('Syntax errors in policy.', item, `the condition operator takes ${takes.what}`);
    const template = templateOf(text, withVariables);
    if (template === undefined)
      throw doc.fault('Syntax errors in policy.', item, 'it holds a variable that cannot be one');
    return template;
  });

const testOf = (
  { base, quantifier, ifExists }: OperatorName,
  values: readonly Template[],
): Condition['test'] => {
  const operator = operators.get(base);
  if (operator === undefined) return { kind: 'null', wanted: values };
  return { kind: 'compare', operator, quantifier, ifExists, values };
};

/** A service, or the issuer of an identity provider: `oidc.eks.us-east-1.amazonaws.com/id/1:sub`. */
const checkKey = (doc: Document, key: string, value: Value): void => {
  if (!/^[A-Za-z0-9][A-Za-z0-9._/-]*:.+$/.test(key))
    throw doc.fault(
      'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.',
      value,
      `the condition key ${key.slice(0, 60)} has none; write for instance aws:SourceIp`,
    );
};

/** The conditions of a statement, of which all must hold. Throws MalformedPolicy. */
export const parseConditions = (
  doc: Document,
  value: Value | undefined,
  reading: Reading,
): readonly Condition[] => {
  if (value === undefined) return [];
  return [...doc.members(value)].flatMap(([name, keys]) => {
    const operator = readName(name);
    if (!operator)
      throw doc.fault(`Invalid Condition type : ${name.slice(0, 60)}.`, keys, 'there is no such operator');
    return [...doc.members(keys)].map(([key, given]) => {
      checkKey(doc, key, given);
      const values = templates(doc, given, operator, reading);
      if (values.length === 0)
        throw doc.fault(
          'Syntax errors in policy.',
          given,
          `${key.slice(0, 60)} has no value to compare with`,
        );
      return { name: key, key: key.toLowerCase(), test: testOf(operator, values) };
    });
  });
};
