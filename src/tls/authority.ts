import 'reflect-metadata';
import { createPrivateKey, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { textOf, WindsockError } from '../lib/errors.ts';
import { loopbackOnly, nameConstraintsOid } from './name-constraints.ts';

/** ECDSA on P-256: what every TLS client of the last ten years verifies. */
export const keyAlgorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;
export const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' } as const;
const validDays = 3650;
export const day = 86_400_000;

/**
 * The local certificate authority. Its root signed one intermediate and nothing else: the root's key was
 * thrown away. Both certificates are constrained to loopback names, so a stolen key opens no other site.
 */
export interface Authority {
  /** What people trust. */
  readonly rootPem: string;
  readonly intermediatePem: string;
  /** PKCS 8: secret. */
  readonly intermediateKeyPem: string;
}

const files = {
  rootPem: 'root.pem',
  intermediatePem: 'intermediate.pem',
  intermediateKeyPem: 'intermediate.key',
};

export const newKeyPair = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify']);

export const keyPem = async (key: webcrypto.CryptoKey): Promise<string> =>
  x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');

/** Positive and 127 bits, so that DER needs no leading zero (RFC 5280 4.1.2.2). */
export const newSerialNumber = (): string => {
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x3f) | 0x40, 0);
  return bytes.toString('hex');
};

const authorityExtensions = async (
  publicKey: webcrypto.CryptoKey,
  issuerKey: webcrypto.CryptoKey,
  pathLength: number,
): Promise<x509.Extension[]> => [
  new x509.BasicConstraintsExtension(true, pathLength, true),
  new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
  new x509.Extension(nameConstraintsOid, true, loopbackOnly),
  await x509.SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto),
  await x509.AuthorityKeyIdentifierExtension.create(issuerKey, false, webcrypto),
];

/** Makes a new authority in memory; `now` in epoch milliseconds. */
export const newAuthority = async (now: number): Promise<Authority> => {
  const [rootKeys, keys] = await Promise.all([newKeyPair(), newKeyPair()]);
  const mark = randomBytes(4).toString('hex');
  const rootName = `CN=Windsock local root ${mark}`;
  const validity = { notBefore: new Date(now - day), notAfter: new Date(now + validDays * day) };
  const root = await x509.X509CertificateGenerator.create(
    {
      serialNumber: newSerialNumber(),
      subject: rootName,
      issuer: rootName,
      ...validity,
      publicKey: rootKeys.publicKey,
      signingKey: rootKeys.privateKey,
      signingAlgorithm,
      extensions: await authorityExtensions(rootKeys.publicKey, rootKeys.publicKey, 1),
    },
    webcrypto,
  );
  const intermediate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: newSerialNumber(),
      subject: `CN=Windsock local intermediate ${mark}`,
      issuer: rootName,
      ...validity,
      publicKey: keys.publicKey,
      signingKey: rootKeys.privateKey,
      signingAlgorithm,
      extensions: await authorityExtensions(keys.publicKey, rootKeys.publicKey, 0),
    },
    webcrypto,
  );
  return {
    rootPem: `${root.toString('pem')}\n`,
    intermediatePem: `${intermediate.toString('pem')}\n`,
    intermediateKeyPem: `${await keyPem(keys.privateKey)}\n`,
  };
};

/** All files or none: written into a folder of its own that is then renamed. */
const save = async (folder: string, authority: Authority): Promise<void> => {
  const temporary = `${folder}.tmp`;
  await rm(temporary, { recursive: true, force: true });
  await mkdir(dirname(folder), { recursive: true, mode: 0o755 });
  await mkdir(temporary, { mode: 0o700 });
  await writeFile(join(temporary, files.rootPem), authority.rootPem, { mode: 0o644 });
  await writeFile(join(temporary, files.intermediatePem), authority.intermediatePem, { mode: 0o644 });
  await writeFile(join(temporary, files.intermediateKeyPem), authority.intermediateKeyPem, { mode: 0o600 });
  await rename(temporary, folder);
};

/** Throws unless the three belong together. */
const check = (a: Authority): void => {
  const [root, intermediate] = [new X509Certificate(a.rootPem), new X509Certificate(a.intermediatePem)];
  if (!intermediate.verify(root.publicKey)) throw new Error('the root did not sign the intermediate');
  if (!intermediate.checkPrivateKey(createPrivateKey(a.intermediateKeyPem)))
    throw new Error('the key is not that of the intermediate');
};

/**
 * Reads the authority from `folder`/authority, or makes it once. `now` in epoch milliseconds.
 * @throws WindsockError AuthorityDamaged
 */
export const loadOrCreateAuthority = async (folder: string, now: number): Promise<Authority> => {
  const own = join(folder, 'authority');
  if (!existsSync(own)) await save(own, await newAuthority(now));
  await chmod(join(own, files.intermediateKeyPem), 0o600);
  const read = (name: string): Promise<string> => readFile(join(own, name), 'utf8');
  const authority = {
    rootPem: await read(files.rootPem),
    intermediatePem: await read(files.intermediatePem),
    intermediateKeyPem: await read(files.intermediateKeyPem),
  };
  try {
    check(authority);
  } catch (cause) {
    throw new WindsockError(
      'AuthorityDamaged',
      `The certificate authority in ${own} cannot be used (${textOf(cause)}). Restore the folder from a backup, or delete it: then a new one is made, which people must trust again.`,
      { cause },
    );
  }
  return authority;
};
