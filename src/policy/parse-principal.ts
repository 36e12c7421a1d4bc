import type { Document, Value } from './document.ts';
import { isPrincipalText, type PrincipalElement } from './principal-match.ts';

const checked = (
  doc: Document,
  kind: string,
  value: Value,
  isGood: (text: string) => boolean,
): readonly string[] =>
  doc.items(value).map((item) => {
    const text = doc.text(item);
    if (!isGood(text))
      throw doc.fault(
        `Invalid principal in policy: "${kind}":"${text.slice(0, 600)}"`,
        item,
        'name an account, an ARN or "*"',
      );
    return text;
  });

/** A name of the DNS is no longer (RFC 1035, 2.3.4); the pattern takes a time that grows with the square of it. */
const longestName = 255;

const isServiceText = (text: string): boolean =>
  text.length <= longestName && /^[a-z0-9.-]+\.[a-z.]+$|^\*$/.test(text);

const nothing = { everyone: false, aws: [], service: [], federated: [] } as const;

/** What the element itself does not say. */
type Kind = Pick<PrincipalElement, 'negated' | 'byId'>;

/** `"*"`, or an object of AWS, Service and Federated. Throws MalformedPolicy. */
export const parsePrincipal = (doc: Document, value: Value, kind: Kind): PrincipalElement => {
  if (value.node.type === 'string') {
    if (doc.text(value) !== '*')
      throw doc.fault('Invalid principal in policy.', value, 'write "*" or {"AWS": …}');
    return { ...nothing, ...kind, everyone: true };
  }
  const members = doc.members(value);
  for (const [name, given] of members)
    if (!['AWS', 'Service', 'Federated', 'CanonicalUser'].includes(name))
      throw doc.fault('Invalid principal in policy.', given, `${name.slice(0, 40)} is no kind of principal`);
  const [aws, service, federated] = [members.get('AWS'), members.get('Service'), members.get('Federated')];
  return {
    ...kind,
    everyone: false,
    aws: aws ? checked(doc, 'AWS', aws, isPrincipalText) : [],
    service: service ? checked(doc, 'SERVICE', service, isServiceText) : [],
    federated: federated ? checked(doc, 'FEDERATED', federated, (text) => text !== '') : [],
  };
};
