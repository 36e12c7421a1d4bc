import 'reflect-metadata';
import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import {
  type Authority,
  day,
  keyAlgorithm,
  keyPem,
  newKeyPair,
  newSerialNumber,
  signingAlgorithm,
} from './authority.ts';

/** CA/Browser Forum: at most 398 days; some clients refuse longer ones from any authority. */
const validDays = 397;
const renewDays = 30;

/** The host prefixes are those that AWS SDKs put in front of an endpoint's host. */
const names = ['localhost', 'api.localhost', 'env.localhost', 'ops.localhost'];
const addresses = ['127.0.0.1', '::1'];

/** What a TLS listener needs: the leaf followed by the intermediate, and the leaf's key. */
export interface Leaf {
  readonly chainPem: string;
  /** PKCS 8: secret. */
  readonly keyPem: string;
}

/** True when the certificate has less than 30 days left. `now` in epoch milliseconds. */
export const isDue = (leaf: Leaf, now: number): boolean =>
  new X509Certificate(leaf.chainPem).validToDate.getTime() - now < renewDays * day;

const extensions = async (
  publicKey: webcrypto.CryptoKey,
  issuer: x509.X509Certificate,
): Promise<x509.Extension[]> => [
  new x509.BasicConstraintsExtension(false, undefined, true),
  new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
  new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
  new x509.SubjectAlternativeNameExtension([
    ...names.map((value) => ({ type: 'dns' as const, value })),
    ...addresses.map((value) => ({ type: 'ip' as const, value })),
  ]),
  await x509.SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto),
  await x509.AuthorityKeyIdentifierExtension.create(issuer, false, webcrypto),
];

/** Signs a leaf for the loopback names. `now` in epoch milliseconds. */
export const newLeaf = async (authority: Authority, now: number): Promise<Leaf> => {
  const issuer = new x509.X509Certificate(authority.intermediatePem);
  const der = createPrivateKey(authority.intermediateKeyPem).export({ type: 'pkcs8', format: 'der' });
  const signingKey = await webcrypto.subtle.importKey('pkcs8', new Uint8Array(der), keyAlgorithm, false, [
    'sign',
  ]);
  const keys = await newKeyPair();
  const notAfter = Math.min(now + (validDays - 1) * day, issuer.notAfter.getTime());
  const leaf = await x509.X509CertificateGenerator.create(
    {
      serialNumber: newSerialNumber(),
      subject: 'CN=localhost',
      issuer: issuer.subject,
      notBefore: new Date(now - day),
      notAfter: new Date(notAfter),
      publicKey: keys.publicKey,
      signingKey,
      signingAlgorithm,
      extensions: await extensions(keys.publicKey, issuer),
    },
    webcrypto,
  );
  return {
    chainPem: `${leaf.toString('pem')}\n${authority.intermediatePem}`,
    keyPem: await keyPem(keys.privateKey),
  };
};
