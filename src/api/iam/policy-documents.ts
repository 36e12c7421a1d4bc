import { MalformedPolicy } from '../../policy/malformed.ts';
import { parsePolicy } from '../../policy/parse.ts';
import type { PolicyKind } from '../../policy/policy.ts';
import { limitExceeded, malformedPolicyDocument } from './errors.ts';

/** Characters of documents together; IAM counts no white space (IAM User Guide, "IAM and AWS STS quotas"). */
export const sizeOf = (documents: readonly string[]): number =>
  documents.reduce((sum, document) => sum + document.replaceAll(/\s/g, '').length, 0);

/** Throws MalformedPolicyDocument, with the place of the fault, where `check` throws MalformedPolicy. */
export const checkedBy = <T>(check: () => T): T => {
  try {
    return check();
  } catch (error) {
    if (error instanceof MalformedPolicy) throw malformedPolicyDocument(error.publicText);
    throw error;
  }
};

/** Throws MalformedPolicyDocument, with the place of the fault. */
export const checkDocument = (document: string, kind: PolicyKind): void => {
  checkedBy(() => parsePolicy(document, kind));
};

/** Throws LimitExceeded when the document is longer than `most` characters. */
export const checkSize = (document: string, quota: string, most: number): void => {
  if (sizeOf([document]) > most) throw limitExceeded(quota, most);
};

/** IAM answers documents percent-encoded (RFC 3986); clients decode them. */
export const encodedDocument = (document: string): string =>
  encodeURIComponent(document).replaceAll(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
