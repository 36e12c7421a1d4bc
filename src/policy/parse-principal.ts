import type { Document, Value } from './document.ts';
import { isPrincipalText, type PrincipalElement } from './principal-match.ts';

const checked = (doc: Document, value: Value, isGood: (text: string) => boolean): readonly string[] =>
  doc.items(value).map((item) => {
    const text = doc.text(item);
    if (!isGood(text))
      throw doc.fault(
        `Invalid principal in policy: "${text.slice(0, 100)}"`,
        item,
        'name an account, an ARN or "*"',
      );
    return text;
  });

const nothing = { everyone: false, aws: [], service: [], federated: [] } as const;

/** `"*"`, or an object of AWS, Service and Federated. Throws MalformedPolicy. */
export const parsePrincipal = (doc: Document, value: Value, negated: boolean): PrincipalElement => {
  if (value.node.type === 'string') {
    if (doc.text(value) !== '*')
      throw doc.fault('Invalid principal in policy.', value, 'write "*" or {"AWS": …}');
    return { ...nothing, negated, everyone: true };
  }
  const members = doc.members(value);
  for (const [name, given] of members)
    if (!['AWS', 'Service', 'Federated', 'CanonicalUser'].includes(name))
      throw doc.fault('Invalid principal in policy.', given, `${name.slice(0, 40)} is no kind of principal`);
  const [aws, service, federated] = [members.get('AWS'), members.get('Service'), members.get('Federated')];
  return {
    negated,
    everyone: false,
    aws: aws ? checked(doc, aws, isPrincipalText) : [],
    service: service ? checked(doc, service, (text) => /^[a-z0-9.-]+\.[a-z.]+$|^\*$/.test(text)) : [],
    federated: federated ? checked(doc, federated, (text) => text !== '') : [],
  };
};
