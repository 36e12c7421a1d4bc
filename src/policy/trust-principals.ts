import { Document, type Value } from './document.ts';
import type { MalformedPolicy } from './malformed.ts';

/** One text under Principal or NotPrincipal. */
export interface GivenPrincipal {
  /** `AWS`, `Service`, `Federated` or `CanonicalUser`. */
  readonly kind: string;
  readonly text: string;
  /** AWS's refusal with the place of the text; `help` says what to write. */
  readonly fault: (help: string) => MalformedPolicy;
}

interface Found extends GivenPrincipal {
  readonly value: Value;
}

const principalsOf = (doc: Document): readonly Found[] => {
  const statements = doc.members(doc.root).get('Statement');
  return (statements ? doc.items(statements) : []).flatMap((statement) => {
    const members = doc.members(statement);
    return ['Principal', 'NotPrincipal'].flatMap((element) => {
      const given = members.get(element);
      if (given?.node.type !== 'object') return [];
      return [...doc.members(given)].flatMap(([kind, texts]) =>
        doc.items(texts).map((value) => {
          const text = doc.text(value);
          const message = `Invalid principal in policy: "${kind.toUpperCase()}":"${text.slice(0, 600)}"`;
          const fault = (help: string) => doc.fault(message, value, help);
          return { kind, text, fault, value };
        }),
      );
    });
  });
};

/**
 * The document with other principals: `change` gives the text that takes the place of each. All else stays as it was
 * written, white space too. Throws MalformedPolicy for what cannot be read, and what `change` throws.
 */
export const withPrincipals = (text: string, change: (given: GivenPrincipal) => string): string => {
  let [changed, end] = ['', 0];
  for (const found of principalsOf(new Document(text))) {
    const { offset, length } = found.value.node;
    changed += text.slice(end, offset) + JSON.stringify(change(found));
    end = offset + length;
  }
  return changed + text.slice(end);
};
