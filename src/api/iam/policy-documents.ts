import { MalformedPolicy } from '../../policy/malformed.ts';
import { parsePolicy } from '../../policy/parse.ts';
import type { PolicyKind } from '../../policy/policy.ts';
import { limitExceeded, malformedPolicyDocument } from './errors.ts';

/** IAM counts no white space (IAM User Guide, "IAM and AWS STS quotas"). */
const sizeOf = (document: string): number => document.replaceAll(/\s/g, '').length;

/** Throws MalformedPolicyDocument, with the place of the fault. */
export const checkDocument = (document: string, kind: PolicyKind): void => {
  try {
    parsePolicy(document, kind);
  } catch (error) {
    if (error instanceof MalformedPolicy) throw malformedPolicyDocument(error.publicText);
    throw error;
  }
};

/** Throws LimitExceeded when the documents are together longer than `most` characters. */
export const checkSize = (documents: readonly string[], quota: string, most: number): void => {
  if (documents.reduce((sum, document) => sum + sizeOf(document), 0) > most) throw limitExceeded(quota, most);
};

/** IAM answers documents percent-encoded (RFC 3986); clients decode them. */
export const encodedDocument = (document: string): string =>
  encodeURIComponent(document).replaceAll(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
