import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
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
  readonly files: CertificateFiles;
  readonly options: SecureContextOptions;
  readonly context: SecureContext;
  readonly certificate: X509Certificate;
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
const load = (files: CertificateFiles): Loaded => {
  const [cert, key] = [read(files.chain), read(files.key)];
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(cert);
  } catch {
    throw unusable(`${files.chain} does not begin with a certificate in PEM.`);
  }
  let matches: boolean;
  try {
    matches = certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    throw unusable(`${files.key} does not hold a private key in PEM without a password.`);
  }
  if (!matches) throw unusable(`${files.key} is not the key of the certificate in ${files.chain}.`);
  const options = { cert, key, minVersion: 'TLSv1.2' } as const;
  return { files, options, context: createSecureContext(options), certificate };
};

const isFor = ({ certificate }: Loaded, name: string): boolean => certificate.checkHost(name) !== undefined;

type LoadedFiles = readonly [Loaded, ...Loaded[]];

/** The first is for the domain; the others are for custom domains. */
const loadAll = ([first, ...others]: GivenFiles, domain: string): LoadedFiles => {
  const own = load(first);
  if (!isFor(own, `environment.${domain}`)) {
    const { subjectAltName, subject } = own.certificate;
    throw unusable(`${first.chain} is not for *.${domain}; it is for ${subjectAltName ?? subject}.`);
  }
  return [own, ...others.map(load)];
};

const changedAt = (all: GivenFiles): string =>
  all
    .flatMap(({ chain, key }) => [chain, key])
    .map((file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0)
    .join();

/** Warns of each certificate that has less than 30 days left. */
const warnOf = (loaded: LoadedFiles, now: number, log: Log): void => {
  for (const { files, certificate } of loaded) {
    const left = certificate.validToDate.getTime() - now;
    if (left > warnBefore) continue;
    const reason = left < 0 ? 'it has ended' : `${Math.floor(left / day)} days are left`;
    log.warn('certificate ends soon', { file: files.chain, reason });
  }
};

export type GivenFiles = readonly [CertificateFiles, ...CertificateFiles[]];

/** Certificates of a domain and of names outside of it. */
export interface GivenCertificates
  extends Required<Pick<TlsIdentity, 'secureContext' | 'contextFor' | 'keepFresh' | 'close'>> {
  /** Whether one of them is for this name. */
  certifies(name: string): boolean;
}

/** The certificates of a domain, read again when their files change, for new connections. */
export const openGivenCertificates = (o: {
  readonly files: GivenFiles;
  readonly domain: string;
  readonly clock: Clock;
  readonly log: Log;
}): GivenCertificates => {
  const listeners = new Set<Reloadable>();
  let seen = changedAt(o.files);
  let loaded = loadAll(o.files, o.domain);
  const warn = (): void => warnOf(loaded, o.clock.now(), o.log);
  const look = async (): Promise<void> => {
    const now = changedAt(o.files);
    if (now === seen) return;
    seen = now;
    loaded = loadAll(o.files, o.domain);
    for (const listener of listeners) listener.setSecureContext(loaded[0].options);
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
    secureContext: () => loaded[0].options,
    contextFor: (name) => loaded.find((l) => isFor(l, name))?.context,
    certifies: (name) => loaded.some((l) => isFor(l, name)),
    keepFresh: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => {
      for (const stop of stops) stop();
    },
  };
};
