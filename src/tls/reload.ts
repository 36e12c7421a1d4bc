import type { SecureContext, SecureContextOptions } from 'node:tls';
import type { Clock } from '../lib/clock.ts';
import { textOf } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import type { Stop } from '../lib/stop.ts';
import type { Authority } from './authority.ts';
import { isDue, type Leaf, newLeaf } from './leaf.ts';

const checkEvery = 6 * 3_600_000;

/** A listener whose certificate can be changed while it listens (`https.Server`, `tls.Server`). */
export interface Reloadable {
  setSecureContext(options: SecureContextOptions): void;
}

/** The server's certificate, which renews itself. */
export interface TlsIdentity {
  readonly authority: Authority;
  /** Certificate chain and key of now, with the least TLS version that is spoken. */
  secureContext(): SecureContextOptions;
  /** Another certificate for this name than that of `secureContext`; left out where there is but one. */
  contextFor?(name: string): SecureContext | undefined;
  /** Gives the listener each new certificate; open connections stay as they are. */
  keepFresh(listener: Reloadable): Stop;
  /** Signs a new leaf when the present one has less than 30 days left. */
  renewIfDue(): Promise<void>;
  close(): void;
}

/** A leaf lives in memory only: each start of the server signs its own. Renewal is tried every six hours. */
export const createTlsIdentity = async (deps: {
  authority: Authority;
  clock: Clock;
  log: Log;
}): Promise<TlsIdentity> => {
  const listeners = new Set<Reloadable>();
  let leaf: Leaf = await newLeaf(deps.authority, deps.clock.now());
  const secureContext = (): SecureContextOptions => ({
    cert: leaf.chainPem,
    key: leaf.keyPem,
    minVersion: 'TLSv1.2',
  });
  const renewIfDue = async (): Promise<void> => {
    if (!isDue(leaf, deps.clock.now())) return;
    leaf = await newLeaf(deps.authority, deps.clock.now());
    for (const listener of listeners) listener.setSecureContext(secureContext());
    deps.log.info('certificate renewed');
  };
  const timer = setInterval(() => {
    renewIfDue().catch((e) => deps.log.error('certificate not renewed', { reason: textOf(e) }));
  }, checkEvery);
  timer.unref();
  return {
    authority: deps.authority,
    secureContext,
    keepFresh: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    renewIfDue,
    close: () => clearInterval(timer),
  };
};
