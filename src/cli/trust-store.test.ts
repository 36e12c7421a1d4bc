import 'reflect-metadata';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { X509CertificateGenerator } from '@peculiar/x509';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { installRoot, stepText, trustSteps } from './trust-store.ts';

let base: string;
let caFile: string;

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'windsock-trust-'));
  caFile = join(base, 'ca.pem');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const name = 'CN=Windsock test';
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name,
    keys,
    signingAlgorithm: algorithm,
  });
  writeFileSync(caFile, certificate.toString('pem'));
  mkdirSync(join(base, '.pki/nssdb'), { recursive: true });
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

it('names the root by its fingerprint and asks for root rights only where they are needed', () => {
  for (const step of trustSteps({ caFile, home: base })) {
    expect(stepText(step, false).startsWith('sudo ')).toBe(step.store === 'system');
    expect(stepText(step, true).startsWith('sudo ')).toBe(false);
  }
  const text = trustSteps({ caFile, home: base })
    .map((s) => stepText(s, true))
    .join('\n');
  if (text !== '') expect(text).toMatch(/windsock-[0-9a-f]{12}/);
});

it('leaves to root what needs root', async () => {
  const home = join(base, 'nobody');
  const { done, left } = await installRoot({ caFile, isRoot: false, home });
  expect(done).toEqual([]);
  expect(left).toEqual(trustSteps({ caFile, home }));
});

it('says what to do about a file that is no certificate', () => {
  const bad = join(base, 'bad.pem');
  writeFileSync(bad, 'no certificate');
  expect(() => trustSteps({ caFile: bad })).toThrow(/Cannot use the root certificate/);
  expect(stepText({ store: 'x', command: ['a', "it's"], needsRoot: false }, false)).toBe(
    String.raw`a 'it'\''s'`,
  );
});
