import 'reflect-metadata';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import * as x509 from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import {
  type Authority,
  keyAlgorithm,
  loadOrCreateAuthority,
  newAuthority,
  signingAlgorithm,
} from './authority.ts';
import { caBundle } from './bundle.ts';
import { isDue, newLeaf } from './leaf.ts';
import { createTlsIdentity } from './reload.ts';

const folder = mkdtempSync(join(tmpdir(), 'windsock-tls-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

const openssl = (...args: string[]): string => {
  try {
    return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const e = error as { stdout: string; stderr: string };
    return `${e.stdout}${e.stderr}`;
  }
};

let authority: Authority;
beforeAll(async () => {
  authority = await loadOrCreateAuthority(folder, Date.now());
});

/** A leaf for any name, signed by the intermediate as a thief of its key would. */
const forge = async (name: { type: 'dns' | 'ip'; value: string }): Promise<string> => {
  const keys = await crypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify']);
  const der = Buffer.from(authority.intermediateKeyPem.replace(/-----.*?-----|\s/g, ''), 'base64');
  const leaf = await x509.X509CertificateGenerator.create({
    serialNumber: '01',
    subject: 'CN=forged',
    issuer: new x509.X509Certificate(authority.intermediatePem).subject,
    publicKey: keys.publicKey,
    signingKey: await crypto.subtle.importKey('pkcs8', der, keyAlgorithm, false, ['sign']),
    signingAlgorithm,
    extensions: [new x509.SubjectAlternativeNameExtension([name])],
  });
  return leaf.toString('pem');
};

const verify = (leafPem: string): string =>
  openssl(
    'verify',
    ...['-CAfile', write('root.pem', authority.rootPem)],
    ...['-untrusted', write('int.pem', authority.intermediatePem), write('leaf.pem', leafPem)],
  );

describe('the local authority', () => {
  it('is constrained, critically, to loopback names in both certificates', () => {
    for (const pem of [authority.rootPem, authority.intermediatePem]) {
      const text = openssl('x509', '-noout', '-text', '-in', write('x.pem', pem));
      expect(text).toMatch(
        /Name Constraints: critical\s+Permitted:\s+DNS:localhost\s+IP:127\.0\.0\.1\/255\.255\.255\.255\s+IP:0:0:0:0:0:0:0:1\/FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF/i,
      );
      expect(text).toMatch(/CA:TRUE, pathlen:[01]/);
    }
  });

  it('signs leaves for loopback that openssl accepts, and no others', async () => {
    expect(verify((await newLeaf(authority, Date.now())).chainPem)).toContain('leaf.pem: OK');
    expect(verify(await forge({ type: 'dns', value: 'api.localhost' }))).toContain('leaf.pem: OK');
    for (const name of [
      { type: 'dns', value: 'example.com' },
      { type: 'dns', value: 'localhost.example.com' },
      { type: 'ip', value: '127.0.0.2' },
      { type: 'ip', value: '10.0.0.1' },
      { type: 'ip', value: '::2' },
    ] as const) {
      expect(verify(await forge(name)), name.value).toContain('permitted subtree violation');
    }
  });

  it('is made once, keeps no key of the root, and hides the other key', async () => {
    expect(await loadOrCreateAuthority(folder, Date.now())).toEqual(authority);
    expect(statSync(join(folder, 'authority/intermediate.key')).mode & 0o777).toBe(0o600);
    expect(Object.keys(authority).sort()).toEqual(['intermediateKeyPem', 'intermediatePem', 'rootPem']);
    const rootKey = new x509.X509Certificate(authority.rootPem).publicKey.toString('hex');
    const keptKey = new x509.X509Certificate(authority.intermediatePem).publicKey.toString('hex');
    expect(rootKey).not.toBe(keptKey);
    expect((await newAuthority(Date.now())).rootPem).not.toBe(authority.rootPem);
  });
});

describe('the leaf', () => {
  it('lives less than 398 days and is due 30 days before its end', async () => {
    const now = Date.now();
    const leaf = await newLeaf(authority, now);
    const cert = new x509.X509Certificate(leaf.chainPem);
    const days = (cert.notAfter.getTime() - cert.notBefore.getTime()) / 86_400_000;
    expect(days).toBeGreaterThan(390);
    expect(days).toBeLessThanOrEqual(397);
    expect(isDue(leaf, now)).toBe(false);
    expect(isDue(leaf, cert.notAfter.getTime() - 29 * 86_400_000)).toBe(true);
  });

  const serialOf = (port: number, rejectUnauthorized = true): Promise<string> =>
    new Promise((resolve, reject) => {
      const req = request(
        { host: 'localhost', port, ca: authority.rootPem, agent: false, rejectUnauthorized },
        (res) => {
          res.resume();
          resolve((res.socket as import('node:tls').TLSSocket).getPeerCertificate().serialNumber);
        },
      );
      req.on('error', reject).end();
    });

  it('is renewed under a listener that stays up', async () => {
    let now = Date.now();
    const tls = await createTlsIdentity({
      authority,
      clock: { ...systemClock, now: () => now },
      log: silentLog,
    });
    const server = createServer(tls.secureContext(), (_req, res) => res.end('ok'));
    tls.keepFresh(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const first = await serialOf(port);
    await tls.renewIfDue();
    expect(await serialOf(port)).toBe(first);
    now += 370 * 86_400_000;
    await tls.renewIfDue();
    // Its validity begins in a year: only the change is looked at.
    expect(await serialOf(port, false)).not.toBe(first);
    tls.close();
    await new Promise((resolve) => server.close(resolve));
  });
});

it('the bundle holds the public roots and ours, and parses', () => {
  const bundle = caBundle(authority);
  expect(bundle.split('BEGIN CERTIFICATE').length - 1).toBeGreaterThan(100);
  expect(bundle).toContain(authority.rootPem.trim());
  expect(() => createSecureContext({ ca: bundle })).not.toThrow();
});
