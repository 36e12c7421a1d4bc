import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { calculateJwkThumbprint } from 'jose';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { codeOf, WindsockError } from '../lib/errors.ts';
import type { Stop } from '../lib/stop.ts';

/** An Ed25519 key pair with the id that a JWT header names it by (RFC 7638 thumbprint). */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** The raw public key in hex. */
  readonly x: string;
}

/** The keys of this installation: one use never verifies what the other signed. */
export interface SigningKeys {
  /** Signs web login tokens and CLI tokens. */
  readonly publicTokens: SigningKey;
  /** Signs the assertion for Airflow. */
  readonly assertion: SigningKey;
  /** The keys that an environment verifies assertions with. */
  publicKeys(): Promise<readonly { readonly kid: string; readonly x: string }[]>;
  /** The keys of one server process stay the same for its life, so this never hints. */
  onChange(hint: () => void): Stop;
}

interface KeyFile {
  readonly publicTokens: string;
  readonly assertion: string;
}

const newKey = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

const keyFrom = async (pem: string): Promise<SigningKey> => {
  const privateKey = createPrivateKey(pem);
  const publicKey = createPublicKey(privateKey);
  const jwk = publicKey.export({ format: 'jwk' });
  if (jwk.crv !== 'Ed25519' || !jwk.x) throw new Error('not an Ed25519 key');
  const kid = await calculateJwkThumbprint({ kty: 'OKP', crv: jwk.crv, x: jwk.x });
  return { kid, privateKey, publicKey, x: Buffer.from(jwk.x, 'base64url').toString('hex') };
};

const writeNew = async (file: string): Promise<KeyFile> => {
  const keys: KeyFile = { publicTokens: newKey(), assertion: newKey() };
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  writeFileAtomic(file, JSON.stringify(keys), { mode: 0o600 });
  return keys;
};

const readOrWrite = async (file: string): Promise<KeyFile> => {
  try {
    const text = await readFile(file, 'utf8');
    await chmod(file, 0o600);
    return JSON.parse(text) as KeyFile;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return writeNew(file);
    throw error;
  }
};

/**
 * Reads the keys from the file (mode 0600), or makes them once.
 * Throws SigningKeysUnreadable when the file is there but cannot be used; it is never overwritten.
 */
export const loadOrCreateSigningKeys = async (file: string): Promise<SigningKeys> => {
  try {
    const kept = await readOrWrite(file);
    const assertion = await keyFrom(kept.assertion);
    return {
      publicTokens: await keyFrom(kept.publicTokens),
      assertion,
      publicKeys: async () => [{ kid: assertion.kid, x: assertion.x }],
      onChange: () => () => {},
    };
  } catch {
    // The cause may quote the file's contents: it stays out of the error.
    throw new WindsockError(
      'SigningKeysUnreadable',
      `The signing keys in ${file} cannot be read. Restore the file from a backup, or delete it: ` +
        'then new keys are made, and tokens given out before stop working.',
    );
  }
};
