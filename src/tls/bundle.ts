import { getCACertificates } from 'node:tls';
import type { Authority } from './authority.ts';

/**
 * The public roots with ours at the end, as one PEM file. A client that is given a bundle uses it instead of
 * its own (AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE, SSL_CERT_FILE): ours alone would break everything else.
 * The system's own roots are in it too, for machines behind a company's authority.
 */
export const caBundle = (authority: Pick<Authority, 'rootPem'>): string => {
  const roots = new Set(
    [...getCACertificates('bundled'), ...getCACertificates('system'), ...getCACertificates('extra')].map(
      (pem) => pem.trim(),
    ),
  );
  return `${[...roots, authority.rootPem.trim()].join('\n')}\n`;
};
