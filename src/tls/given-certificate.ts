import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { SecureContextOptions } from 'node:tls';
import type { Clock } from '../lib/clock.ts';
import { codeOf, textOf, WindsockError } from '../lib/errors.ts';
import { every } from '../lib/keyed-queue.ts';
import type { Log } from '../lib/log.ts';
import type { Reloadable, TlsIdentity } from './reload.ts';

const lookEvery = 10_000;
const day = 86_400_000;
const warnBefore = 30 * day;

/** PEM files of somebody else's authority. */
export interface CertificateFiles {
  /** The certificate, and those that lead to its authority. */
  readonly chain: string;
  readonly key: string;
}

interface Loaded {
  readonly cert: string;
  readonly key: string;
  /** Epoch milliseconds. */
  readonly until: number;
}

const unusable = (why: string): WindsockError =>
  new WindsockError('CertificateUnusable', `The certificate for the domain cannot be used: ${why}`);

const read = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw unusable(`${file} cannot be read (${codeOf(error) ?? textOf(error)}).`);
  }
};

/** Reads and checks both files. Throws CertificateUnusable, with what is wrong and never with what the key holds. */
const load = (files: CertificateFiles, domain: string): Loaded => {
  const [cert, key] = [read(files.chain), read(files.key)];
  let parsed: X509Certificate;
  try {
    parsed = new X509Certificate(cert);
  } catch {
    throw unusable(`${files.chain} does not begin with a certificate in PEM.`);
  }
  let matches: boolean;
  try {
    matches = parsed.checkPrivateKey(createPrivateKey(key));
  } catch {
    throw unusable(`${files.key} does not hold a private key in PEM without a password.`);
  }
  if (!matches) throw unusable(`${files.key} is not the key of the certificate in ${files.chain}.`);
  if (parsed.checkHost(`environment.${domain}`) === undefined)
    throw unusable(
      `${files.chain} is not for *.${domain}; it is for ${parsed.subjectAltName ?? parsed.subject}.`,
    );
  return { cert, key, until: parsed.validToDate.getTime() };
};

const changedAt = ({ chain, key }: CertificateFiles): string =>
  [chain, key].map((file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0).join();

/** The certificate of a domain, read again when its files change, for new connections. */
export const openGivenCertificate = (o: {
  readonly files: CertificateFiles;
  readonly domain: string;
  readonly clock: Clock;
  readonly log: Log;
}): Pick<TlsIdentity, 'secureContext' | 'keepFresh' | 'close'> => {
  const listeners = new Set<Reloadable>();
  let seen = changedAt(o.files);
  let loaded = load(o.files, o.domain);
  const secureContext = (): SecureContextOptions => ({
    cert: loaded.cert,
    key: loaded.key,
    minVersion: 'TLSv1.2',
  });
  const warn = (): void => {
    const left = Math.floor((loaded.until - o.clock.now()) / day);
    if (loaded.until - o.clock.now() < warnBefore)
      o.log.warn('certificate ends soon', {
        file: o.files.chain,
        reason: left < 0 ? 'it has ended' : `${left} days are left`,
      });
  };
  const look = async (): Promise<void> => {
    const now = changedAt(o.files);
    if (now === seen) return;
    seen = now;
    loaded = load(o.files, o.domain);
    for (const listener of listeners) listener.setSecureContext(secureContext());
    o.log.info('certificate renewed');
    warn();
  };
  warn();
  // a pair that is half written is refused, and looked at again once it is whole
  const stops = [
    every(lookEvery, look, (error) => o.log.error('certificate not renewed', { reason: textOf(error) })),
    every(
      day,
      async () => warn(),
      () => {},
    ),
  ];
  return {
    secureContext,
    keepFresh: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => {
      for (const stop of stops) stop();
    },
  };
};
