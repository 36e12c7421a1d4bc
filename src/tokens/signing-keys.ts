import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { calculateJwkThumbprint } from 'jose';
import { z } from 'zod';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import type { Clock } from '../lib/clock.ts';
import { codeOf, WindsockError } from '../lib/errors.ts';
import { every } from '../lib/keyed-queue.ts';
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
  /** Signs web login tokens and CLI tokens now. */
  readonly publicTokens: SigningKey;
  /** Signs the assertion for Airflow now. */
  readonly assertion: SigningKey;
  /** The key that may have signed a token that still lives; undefined for any other id. */
  tokenKey(kid: string): SigningKey | undefined;
  /** The keys that an environment verifies assertions with. */
  publicKeys(): Promise<readonly { readonly kid: string; readonly x: string }[]>;
  /** Hints that `publicKeys` gives others now. */
  onChange(hint: () => void): Stop;
  /** Makes new keys where the present ones are old enough, and forgets those that nothing living was signed with. */
  rotateIfDue(): Promise<void>;
  /** Looks every minute whether that is due. */
  startRotating(failed: (error: unknown) => void): Stop;
}

const day = 86_400_000;
/** A new key is published for so long before it signs, in milliseconds: every verifier knows it by then. */
const publishedBefore = 120_000;
/** An old key verifies for so long after it signed last: ten times what lives longest. */
const keptAfter = 600_000;
const uses = ['publicTokens', 'assertion'] as const;
type Use = (typeof uses)[number];

/** `from`: epoch milliseconds from which on it signs. */
interface Dated extends SigningKey {
  readonly pem: string;
  readonly from: number;
}

const kept = z.object({ pem: z.string(), from: z.number() });
/** In files of before there was rotation, a use has its one key as text. */
const keysOfUse = z.union([z.string().transform((pem) => [{ pem, from: 0 }]), z.array(kept).min(1)]);
const keyFile = z.object({ publicTokens: keysOfUse, assertion: keysOfUse });
type KeyFile = z.infer<typeof keyFile>;

const newPem = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

const keyFrom = async ({ pem, from }: { readonly pem: string; readonly from: number }): Promise<Dated> => {
  const privateKey = createPrivateKey(pem);
  const publicKey = createPublicKey(privateKey);
  const jwk = publicKey.export({ format: 'jwk' });
  if (jwk.crv !== 'Ed25519' || !jwk.x) throw new Error('not an Ed25519 key');
  const kid = await calculateJwkThumbprint({ kty: 'OKP', crv: jwk.crv, x: jwk.x });
  return { pem, from, kid, privateKey, publicKey, x: Buffer.from(jwk.x, 'base64url').toString('hex') };
};

const write = async (file: string, keys: KeyFile): Promise<void> => {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  writeFileAtomic(file, JSON.stringify(keys), { mode: 0o600 });
};

const readOrWrite = async (file: string, now: number): Promise<KeyFile> => {
  try {
    const text = await readFile(file, 'utf8');
    await chmod(file, 0o600);
    return keyFile.parse(JSON.parse(text));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    const made = () => [{ pem: newPem(), from: now }];
    const keys = { publicTokens: made(), assertion: made() };
    await write(file, keys);
    return keys;
  }
};

/** The newest that signs already; the oldest when the clock was set back before all of them. Oldest first. */
const current = (keys: readonly Dated[], now: number): Dated => {
  const found = keys.findLast(({ from }) => from <= now) ?? keys[0];
  if (!found) throw new Error('there is no key');
  return found;
};

/** Without those whose successor signs long enough that nothing of theirs is alive. */
const living = (keys: readonly Dated[], now: number): readonly Dated[] =>
  keys.filter((_, i) => {
    const successor = keys[i + 1];
    return successor === undefined || successor.from + keptAfter > now;
  });

class LivingKeys implements SigningKeys {
  readonly #file: string;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #lifetime: number;
  readonly #hints = new Set<() => void>();
  #keys: Readonly<Record<Use, readonly Dated[]>>;

  constructor(o: {
    readonly file: string;
    readonly clock: Pick<Clock, 'now'>;
    readonly days: number;
    readonly keys: Readonly<Record<Use, readonly Dated[]>>;
  }) {
    this.#file = o.file;
    this.#clock = o.clock;
    this.#lifetime = o.days * day;
    this.#keys = o.keys;
  }

  get publicTokens(): SigningKey {
    return current(this.#keys.publicTokens, this.#clock.now());
  }

  get assertion(): SigningKey {
    return current(this.#keys.assertion, this.#clock.now());
  }

  tokenKey(kid: string): SigningKey | undefined {
    return this.#keys.publicTokens.find((key) => key.kid === kid);
  }

  async publicKeys(): Promise<readonly { readonly kid: string; readonly x: string }[]> {
    return this.#keys.assertion.map(({ kid, x }) => ({ kid, x }));
  }

  onChange(hint: () => void): Stop {
    this.#hints.add(hint);
    return () => this.#hints.delete(hint);
  }

  async rotateIfDue(): Promise<void> {
    const now = this.#clock.now();
    const next = {
      publicTokens: await this.#renewed('publicTokens', now),
      assertion: await this.#renewed('assertion', now),
    };
    if (uses.every((use) => next[use].length === this.#keys[use].length)) return;
    const file = { publicTokens: next.publicTokens.map(shown), assertion: next.assertion.map(shown) };
    await write(this.#file, file);
    this.#keys = next;
    for (const hint of this.#hints) hint();
  }

  startRotating(failed: (error: unknown) => void): Stop {
    return every(60_000, () => this.rotateIfDue(), failed);
  }

  async #renewed(use: Use, now: number): Promise<readonly Dated[]> {
    const keys = living(this.#keys[use], now);
    const newest = keys.at(-1);
    if (newest && newest.from + this.#lifetime > now) return keys;
    return [...keys, await keyFrom({ pem: newPem(), from: now + publishedBefore })];
  }
}

const shown = ({ pem, from }: Dated): { pem: string; from: number } => ({ pem, from });

/**
 * Reads the keys from the file (mode 0600), or makes them once. Each signs for `days` days.
 * Throws SigningKeysUnreadable when the file is there but cannot be used; it is never overwritten.
 */
export const loadOrCreateSigningKeys = async (
  file: string,
  { clock, days }: { readonly clock: Pick<Clock, 'now'>; readonly days: number },
): Promise<SigningKeys> => {
  try {
    const found = await readOrWrite(file, clock.now());
    const [publicTokens, assertion] = await Promise.all(
      uses.map((use) => Promise.all(found[use].map(keyFrom))),
    );
    if (!publicTokens || !assertion) throw new Error('a use has no key');
    return new LivingKeys({ file, clock, days, keys: { publicTokens, assertion } });
  } catch {
    // The cause may quote the file's contents: it stays out of the error.
    throw new WindsockError(
      'SigningKeysUnreadable',
      `The signing keys in ${file} cannot be read. Restore the file from a backup, or delete it: ` +
        'then new keys are made, and tokens given out before stop working.',
    );
  }
};
